package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"time"
)

// A client does operations, one after the other.
type client struct {
	dial   func() (net.Conn, error)
	docker func(ctx context.Context, args ...string) *exec.Cmd
	image  string
	known  []byte // what the engine says of the image
	ledger *ledger
	dice   *rand.Rand

	deadline time.Time // of the operation under way
	bytes    int64     // that it has moved
}

// operations are those of the traffic, each with its share.
var operations = []struct {
	name  string
	share int
	do    func(*client, context.Context) error
}{
	{"ping", 4, (*client).ping},
	{"inspect", 4, (*client).inspect},
	{"dialogue", 3, (*client).dialogue},
	{"echo", 4, (*client).echo},
	{"copy", 3, (*client).copy},
	{"follow", 3, (*client).follow},
	{"create", 6, (*client).create},
	{"run", 1, (*client).run},
}

func (c *client) ping(context.Context) error {
	return c.wants("/_ping", []byte("OK"))
}

// inspect gets an answer that is known to the byte.
func (c *client) inspect(context.Context) error {
	return c.wants("/images/"+c.image+"/json", c.known)
}

func (c *client) wants(path string, want []byte) error {
	status, said, err := c.once(http.MethodGet, path, nil)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return unexpected(path, status, said)
	case !bytes.Equal(said, want):
		return lost("%s: %d bytes of %d, or others", path, len(said), len(want))
	}
	return nil
}

// dialogue keeps a connection for many requests, some of them written before the
// answers are read. Each answer names its request.
func (c *client) dialogue(context.Context) error {
	t, err := c.talk()
	if err != nil {
		return err
	}
	defer t.Close()
	for range 1 + c.dice.IntN(10) {
		count := 1 + c.dice.IntN(8)
		names := make([]string, count)
		var all []byte
		for i := range names {
			names[i] = fmt.Sprintf("nobody-%x", c.dice.Uint64())
			all = append(all, request(http.MethodPost, "/containers/"+names[i]+"/rename?name=x", []byte("abc"))...)
		}
		if err := t.say(all); err != nil {
			return err
		}
		for _, name := range names {
			status, said, err := t.whole(http.MethodPost)
			switch {
			case err != nil:
				return err
			case status == http.StatusNotFound && bytes.Contains(said, []byte("nobody-")) && !bytes.Contains(said, []byte(name)):
				return lost("dialogue: the answer to another request")
			case status != http.StatusNotFound || !bytes.Contains(said, []byte(name)):
				return unexpected("dialogue", status, said)
			}
		}
	}
	return nil
}

// noise is up to so many random bytes.
func (c *client) noise(most int) []byte {
	b := make([]byte, c.dice.IntN(most))
	for i := range b {
		b[i] = byte(c.dice.Uint32())
	}
	return b
}

const mostNoise = 192 << 10

// copy puts a file into a container and gets it back.
func (c *client) copy(context.Context) error {
	name, content := c.ledger.name(), c.noise(mostNoise)
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o640, Size: int64(len(content))})
	if err == nil {
		_, err = w.Write(content)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	status, said, err := c.once(http.MethodPut, "/containers/"+home+"/archive?path=/tmp", packed.Bytes())
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return unexpected("copy in", status, said)
	}
	status, said, err = c.once(http.MethodGet, "/containers/"+home+"/archive?path=/tmp/"+name, nil)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return unexpected("copy out", status, said)
	}
	r := tar.NewReader(bytes.NewReader(said))
	h, err := r.Next()
	if err != nil {
		return lost("copy: what comes out is no archive: %w", err)
	}
	got, err := io.ReadAll(r)
	if err != nil || h.Name != name || !bytes.Equal(got, content) {
		return lost("copy: %d bytes of %d, or others; %v", len(got), len(content), err)
	}
	return nil
}

// create makes a container and removes it. What the client is told and what the
// engine has done must be the same.
func (c *client) create(context.Context) error {
	name := c.ledger.name()
	body := fmt.Sprintf(`{"Image":%q,"Cmd":["true"],"Labels":{%q:%q},"HostConfig":{"NetworkMode":"none"}}`, c.image, label, name)
	c.ledger.expect(name, 0, 1)
	status, said, err := c.once(http.MethodPost, "/containers/create", []byte(body))
	switch {
	case isTold(err):
		c.ledger.expect(name, 0, 0)
		return err
	case err != nil:
		return err // it may be there
	case status != http.StatusCreated:
		return unexpected("create", status, said)
	}
	c.ledger.expect(name, 1, 1)
	var made struct{ ID string }
	if err := json.Unmarshal(said, &made); err != nil {
		return lost("create: the answer is %.200q", said)
	}
	status, said, err = c.once(http.MethodDelete, "/containers/"+url.PathEscape(made.ID), nil)
	switch {
	case isTold(err):
		return err
	case err != nil:
		c.ledger.expect(name, 0, 1)
		return err
	case status != http.StatusNoContent:
		c.ledger.expect(name, 0, 1)
		return unexpected("remove", status, said)
	}
	c.ledger.expect(name, 0, 0)
	return nil
}

// run is a docker command: input, output and exit code of a container.
func (c *client) run(ctx context.Context) error {
	const code = 7
	ctx, cancel := context.WithDeadline(ctx, c.deadline)
	defer cancel()
	name, input := c.ledger.name(), c.noise(8<<10)
	c.ledger.expect(name, 0, 1)
	cmd := c.docker(ctx, "run", "--rm", "-i", "--network", "none", "--label", label+"="+name, c.image, "sh", "-c", fmt.Sprint("cat; exit ", code))
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &stdout, &stderr
	err := cmd.Run()
	c.bytes += int64(len(input) + stdout.Len())
	if ctx.Err() != nil {
		return fmt.Errorf("run: %w", ctx.Err())
	}
	switch cmd.ProcessState.ExitCode() {
	case code:
		if !bytes.Equal(stdout.Bytes(), input) {
			return lost("run: %d bytes of %d, or others", stdout.Len(), len(input))
		}
		return nil
	case 0:
		return lost("run: exit code 0: %.200q", stderr.String())
	}
	if !bytes.HasPrefix(input, stdout.Bytes()) {
		return lost("run: %d bytes, and others than those of the input: %w", stdout.Len(), err)
	}
	said := stderr.String()
	return &failure{
		error: fmt.Errorf("run: %w: %.300q", err, said),
		told:  strings.Contains(said, "stands still") || strings.Contains(said, "received 503"),
	}
}
