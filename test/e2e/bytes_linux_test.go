package e2e

import (
	"context"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// plainEngine is no engine at all, but the far end of every connection in the
// test's hands.
type plainEngine struct {
	net.Listener
	conns chan halfclose.Conn
}

func startPlainEngine(t *testing.T, network, address string) *plainEngine {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	e := &plainEngine{l, make(chan halfclose.Conn)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case e.conns <- c.(halfclose.Conn):
			case <-t.Context().Done():
				c.Close()
			}
		}
	}()
	return e
}

// plainEngineOn is one beside the stage's product, which finds it at pipe.
func plainEngineOn(ctx context.Context, t *testing.T, s *stage.Stage, name string) (e *plainEngine, pipe string) {
	t.Helper()
	if s.OnLinux {
		e = startPlainEngine(t, "unix", filepath.Join(t.TempDir(), "engine.sock"))
		return e, "unix:" + e.Addr().String()
	}
	e = startPlainEngine(t, "tcp", "127.0.0.1:0")
	front, err := s.Wine.StartFront(ctx, map[string]string{name: e.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { front.Close() })
	return e, name
}

// asked is the connection on which the engine gets this request. Those that end without a word are not meant:
// a status that another test asks for looks whether an engine is there.
func (e *plainEngine) asked(ctx context.Context, t *testing.T, request string) halfclose.Conn {
	t.Helper()
	for {
		var c halfclose.Conn
		select {
		case c = <-e.conns:
		case <-ctx.Done():
			t.Fatal("nobody asked the engine")
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		got := make([]byte, len(request))
		n, err := io.ReadFull(c, got)
		if n == 0 && err == io.EOF {
			continue
		}
		if err != nil || string(got) != request {
			t.Fatalf("the engine got %q, %v", got[:n], err)
		}
		return c
	}
}

// bridged makes connections through a bridge to this engine.
func (e *plainEngine) bridged(ctx context.Context, t *testing.T, s *stage.Stage, b *stage.Bridge) halfclose.Make {
	path := in(s, b.Socket.Distro, b.Socket.Socket)
	return func(t *testing.T) (client, engine halfclose.Conn) {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case engine = <-e.conns:
			return c.(halfclose.Conn), engine
		case <-ctx.Done():
			t.Fatalf("no connection came through: %v", ctx.Err())
			return nil, nil
		}
	}
}

// started is a bridge of this test's own, a command `up --json`, that ends
// well with the test.
func started(ctx context.Context, t *testing.T, s *stage.Stage, cmd *exec.Cmd) *stage.Bridge {
	t.Helper()
	b, err := s.Up(ctx, cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// Through everything: unix socket, agent, wsl.exe, Windows program, named pipe.
func TestHalfCloseThroughEverything(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onWindows(t)
	e := startPlainEngine(t, "tcp", "127.0.0.1:0")
	if err := s.Front(ctx, map[string]string{"plain": e.Addr().String()}); err != nil {
		t.Fatal(err)
	}
	b := started(ctx, t, s, s.Windows(context.WithoutCancel(ctx), "up", "--json", "--kind", "raw", "--pipe", "plain", "--socket", "/run/docker-wsl-bridge/plain.sock"))
	halfclose.Test(t, e.bridged(ctx, t, s, b))
}

// Both halves as Linux programs, with unix sockets at both ends and a Linux
// wsl.exe between.
func TestHalfCloseNative(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	e := startPlainEngine(t, "unix", filepath.Join(t.TempDir(), "engine.sock"))
	b := started(ctx, t, s, s.Linux(context.WithoutCancel(ctx), "up", "--json", "--kind", "raw", "--pipe", "unix:"+e.Addr().String(), "--socket", "/run/docker-wsl-bridge/native.sock"))
	halfclose.Test(t, e.bridged(ctx, t, s, b))
}

// The Linux program on the real engine.
func TestNativeRun(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	b := started(ctx, t, s, s.Linux(context.WithoutCancel(ctx), "up", "--json", "--pipe", "unix:"+s.Docker.Socket, "--socket", "/run/docker-wsl-bridge/run.sock"))
	native := route{name: "native", host: b.Host}
	o := native.run(ctx, t, s, strings.NewReader("in"), once(s.Docker.Image, []string{"-i"}, "cat; echo err >&2; exit 3")...)
	if o != (outcome{"in", "err\n", 3}) {
		t.Errorf("%+v", o)
	}
}
