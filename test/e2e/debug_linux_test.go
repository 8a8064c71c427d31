package e2e

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// upDebug is a bridge that tells all it has to tell, to a person, until the
// test ends.
func upDebug(ctx context.Context, t *testing.T, s *stage.Stage, args ...string) *stage.Bridge {
	t.Helper()
	args = append([]string{"up", "--debug", "--distro", stage.Debian}, args...)
	console, err := s.Wine.Console(s.Host(context.WithoutCancel(ctx), args...))
	if err != nil {
		t.Fatal(err)
	}
	b := &stage.Bridge{Console: console}
	t.Cleanup(func() {
		if b.Cmd.ProcessState != nil {
			return
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := b.Await(ctx, "Ctrl-C ends the bridge."); err != nil {
		t.Fatal(err)
	}
	return b
}

// harmless wants nothing in what a person saw that a terminal obeys.
func harmless(t *testing.T, said string) {
	t.Helper()
	if i := strings.IndexFunc(said, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == 0x9b || r == '\u202e' }); i >= 0 {
		t.Errorf("a terminal obeys %q", said[i:min(len(said), i+40)])
	}
}

// Who connects is told by the agent: user, group, and the process where it can
// be seen.
func TestDebugTellsWhoConnects(t *testing.T) {
	ctx, s, _ := onStage(t)
	const socket = runDir + "/debug.sock"
	b := upDebug(ctx, t, s, "--pipe", s.EngineAt(), "--socket", socket)
	letsIn(ctx, t, s, stage.User, "unix://"+socket)
	user := "level=DEBUG msg=connection link=windows peer.uid=1000 peer.gid=1000 peer.pid="
	if err := b.Await(ctx, user); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.Output(), user+"0\n") {
		t.Errorf("a process of the distro has no number: %s", b.Output())
	}
	// From outside of the distro's pid namespace, as from another distro.
	if out, err := fromOutside(ctx, s, stage.Debian, socket, "version"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := b.Await(ctx, "link=windows peer.uid=0 peer.gid=0 peer.pid=0\n"); err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(b.Output()) {
		if strings.Contains(line, "level=") && !strings.HasPrefix(line, "distro: time=") {
			t.Errorf("a line of the agent is not marked: %q", line)
		}
	}
}

// Without `--debug` nobody who connects is told of.
func TestWithoutDebugNothingIsTold(t *testing.T) {
	ctx, s, b := onStage(t)
	letsIn(ctx, t, s, stage.User, b.Host)
	if strings.Contains(b.Output(), "peer.uid") || strings.Count(b.Output(), "\n") != 1 {
		t.Errorf("it said %s", b.Output())
	}
}

// What is carried is in no log and in no error, whatever becomes of it. Both
// halves tell all they can here.
func TestCarriedBytesAreToldNowhere(t *testing.T) {
	ctx, s, _ := onWindows(t)
	const socket, secret = runDir + "/secret.sock", "X-c2VjcmV0-Y"
	engine := startPlainEngine(t, "tcp", "127.0.0.1:0")
	front, err := s.Wine.StartFront(ctx, map[string]string{"secret": engine.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	frontEnded := false
	t.Cleanup(func() {
		if !frontEnded {
			_ = front.Close()
		}
	})
	engine.answerPing(t)
	b := upDebug(ctx, t, s, "--pipe", "secret", "--socket", socket)
	request := "POST /v1.41/" + secret + "?" + secret + " HTTP/1.1\r\nHost: " + secret + "\r\nX-Registry-Auth: " + secret + "\r\nContent-Length: 12\r\n\r\n" + secret
	answer := "HTTP/1.1 500 " + secret + "\r\nX: " + secret + "\r\n\r\n" + secret
	exchange := func(request, answer string, then func(client, engine halfclose.Conn)) {
		t.Helper()
		c, e := ask(ctx, t, s, engine, socket, request)
		defer c.Close()
		defer e.Close()
		if _, err := io.WriteString(e, answer); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(c, make([]byte, len(answer))); err != nil {
			t.Error(err)
		}
		then(c, e)
	}
	both := func(c, e halfclose.Conn) { c.Close(); e.Close() }
	exchange(request, answer, both)
	exchange(secret+"\r\n\r\n"+secret, secret, both)                           // no HTTP
	exchange("GET /"+secret, "\x00\xff"+secret, both)                          // half a head
	exchange(request, secret, func(_, e halfclose.Conn) { reset(t, e) })       // the engine dies
	exchange(request, secret, func(c, _ halfclose.Conn) { reset(t, c) })       // the client does
	exchange(request+request, answer, func(c, e halfclose.Conn) { e.Close() }) // the answer comes first

	if err := front.Close(); err != nil { // and the engine is gone
		t.Fatal(err)
	}
	frontEnded = true
	c := dialIn(t, s, socket)
	if _, err := io.WriteString(c, request); err != nil {
		t.Error(err)
	}
	if said, _ := io.ReadAll(c); strings.Contains(string(said), secret) {
		t.Errorf("its own bytes came back: %q", said)
	}
	if err := b.Await(ctx, `msg="link refused" link=windows reason=`); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if said := b.Output(); strings.Count(said, "msg=connection") != 7 || strings.Contains(said, secret) || strings.Contains(said, secret[2:10]) {
		t.Errorf("it said %s", said)
	}
	harmless(t, b.Output())
	// The log has as much, and as little.
	logged := logFiles(t, s, stage.Debian)
	if strings.Count(logged, "msg=distro said=") < 7 || strings.Contains(logged, secret) || strings.Contains(logged, secret[2:10]) {
		t.Errorf("it logged %s", logged)
	}
}

// answerPing answers as an engine what `up` asks first; every later connection
// is the test's.
func (e *plainEngine) answerPing(t *testing.T) {
	go func() {
		select {
		case c := <-e.conns:
			defer c.Close()
			if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
				t.Errorf("read ping: %v", err)
			}
			if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Length: 2\r\n\r\nOK"); err != nil {
				t.Errorf("answer ping: %v", err)
			}
		case <-t.Context().Done():
		}
	}()
}

// dialIn connects to a socket of Debian.
func dialIn(t *testing.T, s *stage.Stage, socket string) *net.UnixConn {
	t.Helper()
	c, err := net.Dial("unix", in(s, stage.Debian, socket))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c.(*net.UnixConn)
}

// ask sends a request through a bridge and gives both ends of the connection
// once the engine has all of it.
func ask(ctx context.Context, t *testing.T, s *stage.Stage, engine *plainEngine, socket, request string) (client, atEngine halfclose.Conn) {
	t.Helper()
	c := dialIn(t, s, socket)
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	atEngine = engine.asked(ctx, t, request)
	return c, atEngine
}

// reset ends a connection as a program that dies does.
func reset(t *testing.T, c net.Conn) {
	t.Helper()
	if tcp, ok := c.(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil {
			t.Error(err)
		}
	}
	c.Close()
}

// A distro whose root has put something else in the agent's place can say what
// it likes: a person sees it harmless, marked and short.
func TestHostileDistroHasNoPowerOverTheTerminal(t *testing.T) {
	ctx, s, _ := onStage(t)
	b := serveEngine(ctx, t, s, stage.Plain, runDir+"/windows.sock")
	agent, _ := agentOf(t, b)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	outside := in(s, stage.Plain, agent)
	t.Cleanup(func() { _ = os.Remove(outside) }) // the next up puts it there anew
	const evil = `\033[2J\033]0;owned\a\r\033[32mdocker-wsl-bridge: all is well\302\233m\342\200\256\n`
	for name, script := range map[string]string{
		"on stdout":          "printf '" + evil + "'; exit 1",
		"on stderr":          "printf '" + evil + "' >&2; exit 1",
		"on both, for ever":  "while :; do printf '" + evil + "'; printf '" + evil + "' >&2; done",
		"as wsl.exe does":    "printf 'W\\0s\\0l\\0/\\0\\033\\0[\\0002\\0J\\0\\n\\0'; exit 1",
		"in the hello":       "printf '\\000\\377DWB\\r\\n\\032" + evil + evil + "'; exit 1",
		"to the end of time": "printf '" + evil + "' >&2; exec sleep 1",
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.Remove(outside); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(outside, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			for _, flags := range [][]string{nil, {"--debug"}} {
				said := upFails(ctx, t, s, append([]string{"--pipe", s.EngineAt(), "--distro", stage.Plain}, flags...)...)
				harmless(t, said)
				for line := range strings.Lines(said) {
					if strings.HasPrefix(line, "docker-wsl-bridge: all is well") {
						t.Errorf("the distro speaks for the program: %q", line)
					}
				}
				if flags == nil && len(said) > 4<<10 {
					t.Errorf("it said %d bytes", len(said))
				}
				t.Logf("%q: %d bytes, %.300q", flags, len(said), said)
			}
		})
	}
}
