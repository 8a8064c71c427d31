package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// reversed is a stage with clients on Windows.
type reversed struct {
	*configuredStage
	clients *lab.PipeClients
	engine  *net.UnixListener // in the first distro
}

const backSocket = "/run/back.sock"

func openReversed(t *testing.T) (context.Context, *reversed) {
	t.Helper()
	ctx, c := openConfigured(t)
	clients, err := c.s.Wine.StartPipeClients(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clients.Close(); err != nil {
			t.Error(err)
		}
	})
	return ctx, &reversed{configuredStage: c, clients: clients}
}

// listen is an engine in the first distro, which runs.
func (r *reversed) listen(t *testing.T) {
	t.Helper()
	engine, err := net.Listen("unix", in(r.s, one, backSocket))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	r.engine = engine.(*net.UnixListener)
}

// pipeIs waits until the link of a pipe is at a state.
func (r *reversed) pipeIs(ctx context.Context, t *testing.T, distro, pipe, state string) bridgeStatus {
	t.Helper()
	var got bridgeStatus
	until(ctx, t, pipe+" to be "+state, func() bool {
		got = bridges(t, r.s.Windows(ctx, "status", "--json"))[distro+" npipe:////./pipe/"+pipe]
		return got.State == state
	})
	return got
}

// opens waits until the pipe of a link is made. Under Wine its first client lands on the instance that
// go-winio keeps parked, and is never served (test/lab); no other does.
func (r *reversed) opens(ctx context.Context, t *testing.T, distro, pipe string) {
	t.Helper()
	r.pipeIs(ctx, t, distro, pipe, "ready")
	r.dialPipe(t, "winio", pipe).Close()
}

func (r *reversed) dialPipe(t *testing.T, kind, pipe string) *net.TCPConn {
	t.Helper()
	c, err := r.clients.Dial(kind, pipe)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	return c
}

// pair is a client on Windows and its engine in the distro.
func (r *reversed) pair(t *testing.T, kind, pipe string) (client *net.TCPConn, engine *net.UnixConn) {
	t.Helper()
	r.dismiss()
	client = r.dialPipe(t, kind, pipe)
	_ = r.engine.SetDeadline(time.Now().Add(time.Minute))
	for engine == nil {
		c, err := r.engine.AcceptUnix()
		if err != nil {
			t.Fatalf("no client of %s comes to the engine: %v", pipe, err)
		}
		if isOver(c) { // other tests ask for a status, too
			c.Close()
			continue
		}
		engine = c
	}
	t.Cleanup(func() { engine.Close() })
	_ = engine.SetDeadline(time.Now().Add(2 * time.Minute))
	return client, engine
}

// isOver tells whether the other side has ended a connection, or does in a moment. The clients here speak
// first, and later.
func isOver(c *net.UnixConn) bool {
	_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return err != nil && !isTimeout(err)
}

// dismiss closes the connections of those who have asked for a status.
func (r *reversed) dismiss() {
	for {
		_ = r.engine.SetDeadline(time.Now().Add(10 * time.Millisecond))
		c, err := r.engine.AcceptUnix()
		if err != nil {
			return
		}
		c.Close()
	}
}

// asked is one answer to one request at a pipe of a docker link.
func (r *reversed) asked(t *testing.T, kind, pipe, request string) (status int, body string) {
	t.Helper()
	c := r.dialPipe(t, kind, pipe)
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, request+" HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if kind == "plain" {
		_ = c.CloseWrite()
	}
	all, err := io.ReadAll(c) // an answer is over when its connection is
	if err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(all)), nil)
	if err != nil {
		t.Fatalf("%s: %v in %q", request, err, all)
	}
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// dockerSays runs a docker command that goes through a pipe.
func (r *reversed) dockerSays(ctx context.Context, t *testing.T, pipe string, args ...string) (string, error) {
	t.Helper()
	short, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	at := "tcp://" + r.onLoopback(t, pipe)
	out, err := r.s.Docker.Command(short, append([]string{"-H", at}, args...)...).CombinedOutput()
	return string(out), err
}

// onLoopback leads a port to a pipe, for a docker command.
func (r *reversed) onLoopback(t *testing.T, pipe string) (addr string) {
	t.Helper()
	return onLoopback(t, func(c *net.TCPConn) {
		p, err := r.clients.Dial("winio", pipe)
		if err != nil {
			return
		}
		defer p.Close()
		_ = lead(c, p) // the docker command sees how it ends
	})
}

func reverseLink(name, distro, pipe, to string, more ...string) string {
	return link(name, distro, fmt.Sprintf("%q", to), append(more, fmt.Sprintf("from = %q", "npipe:////./pipe/"+pipe))...)
}

// Links in both directions share the carriers of two distros: clients on Windows reach a socket of a
// distro, and a dockerd whose way goes back through the same carrier. The everyday cases go over all of
// them at once. Beside them a link whose pipe another program has, and one without an engine.
func TestBothDirections(t *testing.T) {
	ctx, r := openReversed(t)
	engineSocket := runDir + "/engine.sock"
	links := []string{
		link("engine", one, fmt.Sprintf("%q", r.ours), `context = "both"`),
		link("echo", one, fmt.Sprintf("%q", r.echo)),
		link("far", two, fmt.Sprintf("%q", r.ours)),
		reverseLink("linux", one, "reverse_docker", "unix:"+engineSocket, `kind = "docker"`),
		reverseLink("none", two, "reverse_none", "unix:/run/none.sock", `kind = "docker"`),
	}
	r.write(t, append(slices.Clone(links),
		reverseLink("back", one, "reverse_back", "unix:"+backSocket, `kind = "raw"`, `allow = "S-1-5-18"`),
		reverseLink("exec", one, "reverse_exec", "unix:"+backSocket, `kind = "docker"`),
		reverseLink("taken", two, r.echo, "unix:/run/none.sock", `kind = "raw"`))...)
	r.up(ctx, t)
	r.is(ctx, t, one, "engine", "ready")
	r.is(ctx, t, two, "far", "ready")
	r.opens(ctx, t, one, "reverse_back")
	r.opens(ctx, t, one, "reverse_docker")
	r.opens(ctx, t, one, "reverse_exec")
	r.opens(ctx, t, two, "reverse_none")
	back := r.pipeIs(ctx, t, one, "reverse_back", "ready")
	if back.Works || !strings.Contains(back.EngineError, "there is no such place") || !strings.Contains(fmt.Sprint(back.Hints), "start what listens at unix:"+backSocket+" in "+one) {
		t.Errorf("with nobody at its socket: %+v", back)
	}
	r.listen(t)
	if back = r.pipeIs(ctx, t, one, "reverse_back", "ready"); !back.Works || back.EngineError != "" {
		t.Errorf("with somebody there: %+v", back)
	}
	if got := r.pipeIs(ctx, t, two, r.echo, "link-failed"); !strings.Contains(got.Reason, "another program listens there") || !strings.Contains(fmt.Sprint(got.Hints), "give the link another one") {
		t.Errorf("taken: %+v", got)
	}
	if n := len(r.host()); n != 2 {
		t.Errorf("%d wsl.exe for two distros: %q", n, r.host())
	}

	t.Run("HalfClose", func(t *testing.T) {
		halfclose.Test(t, func(t *testing.T) (client, engine halfclose.Conn) { return r.pair(t, "winio", "reverse_back") })
	})
	t.Run("PlainClient", func(t *testing.T) { r.plainClient(t) })
	t.Run("EndOfAnExec", func(t *testing.T) { r.endOfAnExec(t) })
	t.Run("Docker", func(t *testing.T) { r.docker(ctx, t) })
	t.Run("Told", func(t *testing.T) {
		status, said := r.asked(t, "winio", "reverse_none", "POST /containers/create")
		if status != 503 || !strings.Contains(said, "wsl --distro "+two+" --user root service docker start") {
			t.Errorf("without an engine: %d %s", status, said)
		}
		if got := r.pipeIs(ctx, t, two, "reverse_none", "ready"); got.Works || !strings.Contains(got.EngineError, "nobody listens") || !strings.Contains(fmt.Sprint(got.Hints), "service docker start") {
			t.Errorf("its status: %+v", got)
		}
		contains(t, filed(t, r.s.Windows(ctx, "status")).stdout, "pipe     npipe:////./pipe/reverse_docker, which leads to "+one, "engine   unix:"+engineSocket)
	})
	t.Run("Context", func(t *testing.T) {
		var o outcome
		until(ctx, t, "the docker context to be made", func() bool {
			o = r.ward.docker(ctx, t, "--context", "both", "version")
			return o.code == 0
		})
		contains(t, o.stdout, "Server:")
		contains(t, filed(t, r.s.Windows(ctx, "status")).stdout, "context  both\n")
	})
	t.Run("Everyday", func(t *testing.T) { r.everyday(ctx, t) })
	t.Run("Reload", func(t *testing.T) { r.reloads(ctx, t, links) })
	t.Run("Loss", func(t *testing.T) { r.loss(ctx, t) })
	t.Run("Stopped", func(t *testing.T) {
		if err := r.s.VM.Terminate(two); err != nil {
			t.Fatal(err)
		}
		r.pipeIs(ctx, t, two, "reverse_none", "distro-stopped")
		if status, said := r.asked(t, "plain", "reverse_none", "GET /info"); status != 503 || !strings.Contains(said, "run: wsl --distro "+two) {
			t.Errorf("%d %s", status, said)
		}
	})
	if o := said(t, r.s.Windows(ctx, "stop", "--distro", one, "--socket", engineSocket)); o.code != 0 {
		t.Errorf("stop: %+v", o)
	}
	if err := r.b.End(ctx, 0); err != nil {
		t.Error(err)
	}
	if c, err := r.clients.Dial("winio", "reverse_docker"); err == nil {
		c.Close()
		t.Error("the pipe is there still")
	}
}

// A client that reads with ReadFile until that fails gets all of the answer and its end, though it
// ends nothing itself and makes nothing of a message of no bytes: the pipe is closed as soon as the
// engine's connection is.
func (r *reversed) plainClient(t *testing.T) {
	answer := make([]byte, 1<<20)
	_, _ = io.ReadFull(noise(int64(len(answer))), answer)
	for name, end := range map[string]func(*net.UnixConn){
		"closed": func(e *net.UnixConn) { e.Close() },
		"ended first": func(e *net.UnixConn) {
			_ = e.CloseWrite()
			<-time.After(200 * time.Millisecond)
			e.Close()
		},
	} {
		client, engine := r.pair(t, "plain", "reverse_back")
		_, _ = io.WriteString(client, "question")
		_ = client.CloseWrite() // of the client's stdin, so to speak: the pipe does not end
		got := make(chan []byte, 1)
		go func() {
			b, err := io.ReadAll(client)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got <- b
		}()
		if _, err := io.ReadFull(engine, make([]byte, len("question"))); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Write(answer); err != nil {
			t.Fatal(err)
		}
		end(engine)
		if b := <-got; !bytes.Equal(b, answer) {
			t.Errorf("%s: %d bytes of %d, or others", name, len(b), len(answer))
		}
	}
}

// An engine that only ends its output, as dockerd does when an exec has ended, ends its client: one that knows
// ReadFile alone by the end of the pipe, any by all of the output. The head comes by itself.
func (r *reversed) endOfAnExec(t *testing.T) {
	const head = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
	output := make([]byte, 1<<20)
	_, _ = io.ReadFull(noise(int64(len(output))), output)
	for _, kind := range []string{"plain", "winio"} {
		r.dismiss()
		client := r.dialPipe(t, kind, "reverse_exec")
		_, _ = io.WriteString(client, "POST /exec/ab/start HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n")
		if kind == "plain" {
			_ = client.CloseWrite() // all is said
		}
		engine := r.execStarts(t)
		_ = client.SetDeadline(time.Now().Add(20 * time.Second))
		go func() {
			_, _ = io.WriteString(engine, head)
			_, _ = engine.Write(output)
			_ = engine.CloseWrite()
		}()
		if got, err := io.ReadAll(client); err != nil || !bytes.Equal(got, append([]byte(head), output...)) {
			t.Errorf("%s: %d bytes of %d, %v", kind, len(got), len(head)+len(output), err)
		}
		client.Close()
		if _, err := io.Copy(io.Discard, engine); err != nil { // the bridge closes it
			t.Errorf("%s: the engine: %v", kind, err)
		}
		engine.Close()
	}
}

// execStarts is the engine's connection on which an exec is started. Others ask for a status.
func (r *reversed) execStarts(t *testing.T) *net.UnixConn {
	t.Helper()
	_ = r.engine.SetDeadline(time.Now().Add(20 * time.Second))
	for {
		c, err := r.engine.AcceptUnix()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		if q, err := http.ReadRequest(bufio.NewReader(c)); err == nil && strings.HasSuffix(q.URL.Path, "/start") {
			t.Cleanup(func() { c.Close() })
			return c
		}
		c.Close()
	}
}

// A real dockerd, asked by a docker command, whose way goes through the carrier twice, and by a plain client.
func (r *reversed) docker(ctx context.Context, t *testing.T) {
	wantVersion := func(kind, pipe string) {
		t.Helper()
		status, said := r.asked(t, kind, pipe, "GET /version")
		var version struct{ ApiVersion string }
		if err := json.Unmarshal([]byte(said), &version); status != 200 || err != nil || version.ApiVersion == "" {
			t.Errorf("%s: %d %s, %v", kind, status, said, err)
		}
	}
	wantVersion("winio", "reverse_docker")
	// The end of dockerd's connection gets lost at the engine's pipe, where it looks like that of its
	// output. At a socket of its own it does not.
	stop := r.leadOn(t)
	wantVersion("plain", "reverse_back")
	stop()
	if said, err := r.dockerSays(ctx, t, "reverse_docker", "version"); err != nil || !strings.Contains(said, "Server:") {
		t.Errorf("%v: %s", err, said)
	}
	if said, err := r.dockerSays(ctx, t, "reverse_none", "ps"); err == nil || !strings.Contains(said, "service docker start") {
		t.Errorf("without an engine the docker command says %s, %v", said, err)
	}
}

// leadOn has the socket of the raw link be dockerd's, until stop is called.
func (r *reversed) leadOn(t *testing.T) (stop func()) {
	t.Helper()
	_ = r.engine.SetDeadline(time.Now().Add(time.Minute))
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			c, err := r.engine.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				d, err := net.Dial("tcp", r.s.Docker.TCP)
				if err != nil {
					return
				}
				defer d.Close()
				go func() { _, _ = io.Copy(d, c) }()
				_, _ = io.Copy(c, d)
			}()
		}
	}()
	return func() {
		_ = r.engine.SetDeadline(time.Now())
		<-over
	}
}

// reloads replaces one reverse link; connections of both directions live on.
func (r *reversed) reloads(ctx context.Context, t *testing.T, links []string) {
	client, engine := r.pair(t, "winio", "reverse_back")
	forth := r.dial(t, one, "echo")
	heard := func() {
		t.Helper()
		echoed(t, forth, "forth")
		for _, way := range []struct{ from, to net.Conn }{{client, engine}, {engine, client}} {
			if _, err := io.WriteString(way.from, "back"); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(way.to, make([]byte, 4)); err != nil {
				t.Fatal(err)
			}
		}
	}
	heard()
	r.write(t, append(slices.Clone(links), reverseLink("moved", one, "reverse_moved", "unix:"+backSocket, `kind = "raw"`))...)
	r.reload(ctx, t, "reloaded: added moved; removed back, exec, taken; unchanged engine, echo, far, linux, none")
	r.opens(ctx, t, one, "reverse_moved")
	heard()
	if c, err := r.clients.Dial("winio", "reverse_back"); err == nil {
		c.Close()
		t.Error("the pipe of a link that is gone is there")
	}
	again, engine2 := r.pair(t, "winio", "reverse_moved")
	if _, err := io.WriteString(again, "back"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(engine2, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}

	// One that has changed and keeps its pipe loses its connections: Windows would not make the pipe.
	r.write(t, append(slices.Clone(links), reverseLink("moved", one, "reverse_moved", "unix:"+backSocket, `kind = "raw"`, `allow = "S-1-5-18"`))...)
	r.reload(ctx, t, "reloaded: changed moved; unchanged engine, echo, far, linux, none")
	if n, err := again.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection of a link that has changed: %v", err)
	}
	again.Close()
	r.opens(ctx, t, one, "reverse_moved")
	r.pair(t, "winio", "reverse_moved")
	heard()
}

// loss ends the carrier: connections of both directions end, those that come find the next one.
func (r *reversed) loss(ctx context.Context, t *testing.T) {
	client, engine := r.pair(t, "winio", "reverse_moved")
	before := strings.Count(r.b.Output(), `"link":"moved"`)
	kill(t, newcomer(t, (&ward{s: r.s, distro: one}).host(), "wsl.exe"))
	for name, c := range map[string]net.Conn{"client": client, "engine": engine} {
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the %s's end: %v", name, err)
		}
	}
	until(ctx, t, "the lost links to come back", func() bool { return strings.Count(r.b.Output(), `"link":"moved"`) > before })
	client, engine = r.pair(t, "winio", "reverse_moved")
	if _, err := io.WriteString(client, "back"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(engine, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	if status, said := r.asked(t, "winio", "reverse_docker", "GET /_ping"); status != 200 {
		t.Errorf("%d %s", status, said)
	}
}
