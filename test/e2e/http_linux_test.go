package e2e

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// A dialogue is one connection to the engine's API, on which the test speaks
// HTTP itself. What the engine says on it is kept as it is.
type dialogue struct {
	halfclose.Conn
	route route
	in    *bufio.Reader
	heard bytes.Buffer
}

// dialogueTime is where a dialogue that hangs becomes a failure.
const dialogueTime = 2 * time.Minute

// talk connects from where the clients in the distro do.
func (r route) talk(t *testing.T, s *stage.Stage) *dialogue {
	t.Helper()
	network, address, _ := strings.Cut(r.host, "://")
	if network == "unix" {
		address = r.in(s, address)
	}
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatalf("%s: %v", r.name, err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(dialogueTime)); err != nil {
		t.Fatal(err)
	}
	d := &dialogue{Conn: conn.(halfclose.Conn), route: r}
	d.in = bufio.NewReader(io.TeeReader(conn, &d.heard))
	return d
}

// request is the head of one, with further lines as given.
func request(method, path string, lines ...string) string {
	lines = append([]string{method + " " + path + " HTTP/1.1", "Host: docker"}, lines...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

func (d *dialogue) say(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(d, text); err != nil {
		t.Fatalf("%s: say: %v", d.route.name, err)
	}
}

// answer reads one to its end and wants it to have this status.
func (d *dialogue) answer(t *testing.T, method string, status int) (body []byte) {
	t.Helper()
	resp, err := http.ReadResponse(d.in, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s: hear: %v", d.route.name, err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil || resp.StatusCode != status {
		t.Fatalf("%s: %s, %v; want status %d: %.200q", d.route.name, resp.Status, err, status, body)
	}
	return body
}

// dialogues holds the same one on both routes and wants the engine's words to
// be the same to the byte. It gives those of the bridge.
func dialogues(t *testing.T, hold func(d *dialogue)) string {
	t.Helper()
	_, s, b := onStage(t)
	direct, bridged := routes(s, b)
	var heard [2]outcome
	for i, r := range []route{direct, bridged} {
		d := r.talk(t, s)
		began := time.Now()
		hold(d)
		t.Logf("%s: %d bytes heard in %v", r.name, d.heard.Len(), time.Since(began).Round(time.Millisecond))
		heard[i] = outcome{stdout: d.heard.String()}
	}
	return same(t, heard[1], heard[0], "http").stdout
}

// One connection, kept for a thousand requests of all kinds. It runs alone: another test may give an image a tag.
func TestKeepAlive1000Requests(t *testing.T) {
	const requests = 1000
	kinds := []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/_ping", http.StatusOK},
		{http.MethodHead, "/_ping", http.StatusOK},
		{http.MethodGet, "/version", http.StatusOK},
		{http.MethodGet, "/images/busybox:test/json", http.StatusOK},
		{http.MethodPost, "/containers/nobody/start", http.StatusNotFound},
		{http.MethodGet, "/nothing", http.StatusNotFound},
	}
	heard := dialogues(t, func(d *dialogue) {
		for i := range requests {
			k := kinds[i%len(kinds)]
			d.say(t, request(k.method, k.path, "Content-Length: 0"))
			d.answer(t, k.method, k.status)
		}
	})
	if n := strings.Count(heard, "HTTP/1.1 "); n != requests {
		t.Errorf("%d answers to %d requests", n, requests)
	}
}

// All requests are written before the first answer is read; the answers, more
// than a socket's buffer takes, come in order.
func TestPipelinedRequests(t *testing.T) {
	t.Parallel()
	const requests = 1000
	var all strings.Builder
	for i := range requests - 1 {
		switch i % 3 {
		case 0:
			all.WriteString(request(http.MethodGet, fmt.Sprintf("/containers/nobody-%d/json", i)))
		case 1:
			all.WriteString(request(http.MethodGet, "/version"))
		case 2:
			all.WriteString(request(http.MethodPost, fmt.Sprintf("/containers/nobody-%d/rename?name=x", i), "Content-Length: 3") + "abc")
		}
	}
	all.WriteString(request(http.MethodGet, "/images/busybox:test/json", "Connection: close"))
	heard := dialogues(t, func(d *dialogue) {
		d.say(t, all.String())
		for i := range requests - 1 {
			switch name := fmt.Sprintf("nobody-%d", i); i % 3 {
			case 0, 2:
				method := []string{http.MethodGet, "", http.MethodPost}[i%3]
				if body := d.answer(t, method, http.StatusNotFound); !bytes.Contains(body, []byte(name)) {
					t.Fatalf("%s: answer %d is %q", d.route.name, i, body)
				}
			case 1:
				d.answer(t, http.MethodGet, http.StatusOK)
			}
		}
		d.answer(t, http.MethodGet, http.StatusOK)
		if rest, err := io.ReadAll(d.in); err != nil || len(rest) > 0 {
			t.Errorf("%s: after the last answer: %d bytes, %v", d.route.name, len(rest), err)
		}
	})
	if len(heard) < 1<<18 {
		t.Errorf("all answers have %d bytes, too little to fill a buffer", len(heard))
	}
}

// sayChunked writes a body in chunks of all sizes, of which none is a buffer's.
func (d *dialogue) sayChunked(t *testing.T, body io.Reader) {
	t.Helper()
	sizes := []int64{1, 4095, 2, 4097, 16385, 7, 65537, 100_000}
	for i := 0; ; i++ {
		var chunk bytes.Buffer
		if _, err := io.CopyN(&chunk, body, sizes[i%len(sizes)]); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		d.say(t, fmt.Sprintf("%x\r\n%s\r\n", chunk.Len(), &chunk)) // the last has none
		if chunk.Len() == 0 {
			return
		}
	}
}

const chunked = "Transfer-Encoding: chunked"

// A tar stream of unknown length goes into a container, and comes out on the
// same connection.
func TestChunkedUpload(t *testing.T) {
	t.Parallel()
	ctx, s, b := onStage(t)
	container(ctx, t, s, "chunked", "sleep", "600")
	const size = 10_000_000
	want, _ := hashOf(t, noise(size))
	direct, bridged := routes(s, b)
	for _, r := range []route{direct, bridged} {
		d := r.talk(t, s)
		d.say(t, request(http.MethodPut, "/containers/chunked/archive?path=/tmp", chunked))
		d.sayChunked(t, archive(t, r.name, size))
		d.answer(t, http.MethodPut, http.StatusOK)
		d.say(t, request(http.MethodGet, "/containers/chunked/archive?path=/tmp/"+r.name))
		stream := d.answer(t, http.MethodGet, http.StatusOK)
		const head = 512 // of a tar entry
		if len(stream) < head+size || sha256.Sum256(stream[head:head+size]) != want {
			t.Errorf("%s: %d bytes came out, or others than the %d that went in", r.name, len(stream)-head, size)
		}
		differs(t, r.name, direct.must(ctx, t, s, "exec", "chunked", "sha256sum", "/tmp/"+r.name), fmt.Sprintf("%x  /tmp/%s\n", want, r.name))
	}
}

// An image is loaded in chunks, by raw HTTP.
func TestChunkedImageLoad(t *testing.T) {
	ctx, s, b := onStage(t)
	direct, _ := routes(s, b)
	const name = "loaded:case"
	direct.must(ctx, t, s, "tag", s.Docker.Image, name)
	saved := direct.must(ctx, t, s, "save", name)
	id := direct.must(ctx, t, s, "inspect", "--format", "{{.Id}}", name)
	dialogues(t, func(d *dialogue) {
		direct.must(ctx, t, s, "rmi", name)
		d.say(t, request(http.MethodPost, "/images/load?quiet=1", chunked))
		d.sayChunked(t, strings.NewReader(saved))
		if body := d.answer(t, http.MethodPost, http.StatusOK); !bytes.Contains(body, []byte("Loaded image: "+name)) {
			t.Errorf("%s: %s", d.route.name, body)
		}
		differs(t, d.route.name, direct.must(ctx, t, s, "inspect", "--format", "{{.Id}}", name), id)
	})
	direct.must(ctx, t, s, "rmi", name)
}

// A client that asks before it sends its body sends it at "100 Continue", and
// not at all when the engine does not want it.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	container(ctx, t, s, "expecting", "sleep", "600")
	direct := straight(s)
	const size = 100_000
	sum, _ := hashOf(t, noise(size))
	dialogues(t, func(d *dialogue) {
		body, err := io.ReadAll(archive(t, d.route.name, size))
		if err != nil {
			t.Fatal(err)
		}
		ask := func(name string) {
			d.say(t, request(http.MethodPut, "/containers/"+name+"/archive?path=/tmp", "Expect: 100-continue", fmt.Sprintf("Content-Length: %d", len(body))))
		}
		for range 2 {
			ask("expecting")
			d.answer(t, http.MethodPut, http.StatusContinue)
			d.say(t, string(body))
			d.answer(t, http.MethodPut, http.StatusOK)
		}
		file := "/tmp/" + d.route.name
		differs(t, file, direct.must(ctx, t, s, "exec", "expecting", "sha256sum", file), fmt.Sprintf("%x  %s\n", sum, file))
		ask("nobody")
		d.answer(t, http.MethodPut, http.StatusNotFound)
		if err := d.CloseWrite(); err != nil { // the engine may wait for the body still
			t.Error(err)
		}
		if rest, err := io.ReadAll(d.in); err != nil || len(rest) > 0 {
			t.Errorf("%s: after the refusal: %d bytes, %v", d.route.name, len(rest), err)
		}
	})
}
