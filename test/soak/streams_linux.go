package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// The containers that operations need. They come back with the engine.
const (
	home    = "soak-home"    // does nothing
	counter = "soak-counter" // counts in its log, for ever
)

// frames reads an engine's stream of frames: a head of eight bytes, whose first
// is the kind (1 is standard output) and whose last four are the length.
type frames struct {
	from io.Reader
	left uint32
}

func (f *frames) Read(b []byte) (int, error) {
	for f.left == 0 {
		var head [8]byte
		if _, err := io.ReadFull(f.from, head[:]); err != nil {
			return 0, err
		}
		if head[0] != 1 {
			return 0, lost("a frame of kind %d", head[0])
		}
		f.left = binary.BigEndian.Uint32(head[4:])
	}
	n, err := f.from.Read(b[:min(len(b), int(f.left))])
	f.left -= uint32(n)
	if err == io.EOF && f.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// echo has a program in a container repeat what it is told, until it is told
// that this was all.
func (c *client) echo(context.Context) error {
	id, err := c.exec("cat")
	if err != nil {
		return err
	}
	t, err := c.talk()
	if err != nil {
		return err
	}
	defer t.Close()
	if err := t.say(request(http.MethodPost, "/exec/"+id+"/start", []byte(`{"Detach":false,"Tty":false}`), "Connection: Upgrade", "Upgrade: tcp")); err != nil {
		return err
	}
	resp, err := t.answer(http.MethodPost)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return unexpected("start exec", resp.StatusCode, nil)
	}
	content := c.noise(mostNoise)
	said := make(chan error, 1)
	pieces := c.pieces(content)
	go func() { said <- t.shout(pieces) }()
	got, err := io.ReadAll(&frames{from: t.in})
	if err != nil {
		t.Close() // or the other direction may go on
	}
	sayErr := <-said
	c.bytes += int64(len(content))
	switch {
	case !bytes.HasPrefix(content, got):
		return lost("echo: %d bytes, and others than those that were said", len(got))
	case err != nil:
		return t.fails("hear the echo", err)
	}
	code, err := c.exitCode(id)
	switch {
	case err != nil:
		return err
	case code != 0:
		return &failure{error: fmt.Errorf("echo: exit code %d", code), heard: true}
	case sayErr != nil:
		return sayErr
	case len(got) < len(content):
		return lost("echo: %d bytes of %d, and exit code 0", len(got), len(content))
	}
	return nil
}

// exec makes one in the home, and gives its id.
func (c *client) exec(command ...string) (string, error) {
	body, err := json.Marshal(map[string]any{"AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Cmd": command})
	if err != nil {
		return "", err
	}
	status, said, err := c.once(http.MethodPost, "/containers/"+home+"/exec", body)
	if err != nil {
		return "", err
	}
	var made struct{ ID string }
	if err := json.Unmarshal(said, &made); err != nil || status != http.StatusCreated {
		return "", unexpected("make exec", status, said)
	}
	return made.ID, nil
}

// exitCode asks until the engine has noted the end, which is a moment after the
// end of the output.
func (c *client) exitCode(id string) (int, error) {
	for {
		status, said, err := c.once(http.MethodGet, "/exec/"+id+"/json", nil)
		if err != nil {
			return 0, err
		}
		var state struct {
			Running  bool
			ExitCode *int
		}
		if err := json.Unmarshal(said, &state); err != nil || status != http.StatusOK {
			return 0, unexpected("inspect exec", status, said)
		}
		if !state.Running && state.ExitCode != nil {
			return *state.ExitCode, nil
		}
		if time.Now().After(c.deadline) {
			return 0, fmt.Errorf("wait for the exit code: %w", context.DeadlineExceeded)
		}
		time.Sleep(10 * time.Millisecond) // the engine tells nobody
	}
}

// pieces cuts into parts of all sizes.
func (c *client) pieces(all []byte) (list [][]byte) {
	for len(all) > 0 {
		n := min(len(all), 1+c.dice.IntN(40<<10))
		list = append(list, all[:n])
		all = all[n:]
	}
	return list
}

// shout says it all and that it was all.
func (t *talk) shout(pieces [][]byte) error {
	for _, piece := range pieces {
		// Not say: heard belongs to the reader.
		if _, err := t.half.Write(piece); err != nil {
			return &failure{error: fmt.Errorf("shout: %w", err), heard: true}
		}
	}
	if err := t.CloseWrite(); err != nil {
		return &failure{error: fmt.Errorf("end what is said: %w", err), heard: true}
	}
	return nil
}

// follow listens to the counter for a while: no number is missing, none comes
// twice.
func (c *client) follow(context.Context) error {
	t, err := c.talk()
	if err != nil {
		return err
	}
	defer t.Close()
	if err := t.say(request(http.MethodGet, "/containers/"+counter+"/logs?follow=1&stdout=1&tail=20", nil)); err != nil {
		return err
	}
	resp, err := t.answer(http.MethodGet)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return unexpected("follow", resp.StatusCode, nil)
	}
	until := time.Now().Add(time.Duration(c.dice.Int64N(int64(4 * time.Second))))
	lines := bufio.NewScanner(&frames{from: resp.Body})
	for last := 0; lines.Scan(); {
		n, err := strconv.Atoi(lines.Text())
		if err != nil || last > 0 && n != last+1 {
			return lost("follow: %q after %d", lines.Text(), last)
		}
		if last = n; time.Now().After(until) {
			return nil
		}
	}
	err = lines.Err()
	if err == nil {
		err = io.EOF
	}
	return t.fails("follow", err)
}
