package e2e

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// raw bridges any byte stream, which is the engine's here. deaf is how many connections
// are made first whose pipe is not read.
func raw(ctx context.Context, t *testing.T, s *stage.Stage, name string, deaf int) (engine net.Listener, socket string) {
	t.Helper()
	engine, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	target := engine.Addr().String()
	if deaf > 0 {
		target += fmt.Sprintf(",deaf=%d", deaf)
	}
	if err := s.Front(ctx, map[string]string{name: target}); err != nil {
		t.Fatal(err)
	}
	b := started(ctx, t, s, s.Windows(context.WithoutCancel(ctx), "up", "--json", "--kind", "raw", "--pipe", name, "--socket", "/run/docker-wsl-bridge/"+name+".sock"))
	return engine, in(s, b.Socket.Distro, b.Socket.Socket)
}

// through makes one connection through the bridge, which ends with the test.
func through(t *testing.T, engine net.Listener, socket string) (client, served halfclose.Conn) {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	e, err := engine.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	limit := time.Now().Add(time.Minute)
	c.SetDeadline(limit)
	e.SetDeadline(limit)
	return c.(halfclose.Conn), e.(halfclose.Conn)
}

// go-winio ends a direction of a pipe by a flush, which waits until the far side has read
// everything. Many that never read, more than Windows has processors here, stop neither
// the other direction of their own connections nor another one.
func TestPipesThatAreNotReadStopNobody(t *testing.T) {
	ctx, s, _ := onWindows(t)
	const deaf = 24
	engine, socket := raw(ctx, t, s, "deaf", deaf)
	var clients, engines []halfclose.Conn
	for range deaf {
		client, served := through(t, engine, socket)
		if _, err := client.Write(make([]byte, 10_000)); err != nil { // the pipe has room for it
			t.Fatal(err)
		}
		if err := client.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		clients, engines = append(clients, client), append(engines, served)
	}
	halfclose.Test(t, func(t *testing.T) (client, served halfclose.Conn) { return through(t, engine, socket) })
	answer := make([]byte, 300_000)
	for i, client := range clients {
		said := make(chan error, 1)
		go func() {
			_, err := engines[i].Write(answer)
			said <- err
		}()
		if _, err := io.ReadFull(client, make([]byte, len(answer))); err != nil {
			t.Errorf("the other direction of connection %d: %v", i, err)
		}
		if err := <-said; err != nil {
			t.Error(err)
		}
	}
	// A client that goes frees the flush: the engine's connection is cut.
	began := time.Now()
	var cut sync.WaitGroup
	for i, client := range clients {
		client.Close()
		cut.Go(func() {
			if err := untilCut(engines[i]); err != nil {
				t.Errorf("connection %d: %v", i, err)
			}
		})
	}
	cut.Wait()
	t.Logf("%d flushes were given up within %v", deaf, time.Since(began).Round(time.Millisecond))
}

// untilCut writes until the far side is gone.
func untilCut(c net.Conn) error {
	for {
		_, err := c.Write(make([]byte, 4096))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return errors.New("the engine's connection is still open")
		case err != nil:
			return nil
		}
	}
}

// Whoever on the way is killed, a client gets an error behind the bytes that had come: an
// end of stream would be a lie.
func TestWhoeverIsKilledClientsGetAnError(t *testing.T) {
	ctx, s, _ := onWindows(t)
	const socket = runDir + "/error.sock"
	for name, kill := range map[string]func(before scene, agent string, b *stage.Bridge) error{
		"agent": func(before scene, agent string, _ *stage.Bridge) error {
			return syscall.Kill(newcomer(t, before.newInDistro(t), agent), syscall.SIGKILL)
		},
		"wsl.exe": func(before scene, _ string, _ *stage.Bridge) error {
			return syscall.Kill(newcomer(t, before.newOnHost(), "wsl.exe"), syscall.SIGKILL)
		},
		"host": func(_ scene, _ string, b *stage.Bridge) error { return b.Cmd.Process.Kill() },
	} {
		before := look(t, s, stage.Plain)
		b := serveEngine(ctx, t, s, stage.Plain, socket)
		agent, _ := agentOf(t, b)
		c, err := net.Dial("unix", in(s, stage.Plain, socket))
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(time.Minute))
		if _, err := io.WriteString(c, "GET /events HTTP/1.1\r\nHost: docker\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 4096)
		if n, err := c.Read(answer); err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 200 OK\r\n") {
			t.Fatalf("%s: read %d bytes, %v", name, n, err)
		}
		began := time.Now()
		if err := kill(before, agent, b); err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, c)
		if !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("%s killed: the client got %v", name, err)
		}
		t.Logf("%s killed: the client had its error after %v", name, time.Since(began).Round(time.Millisecond))
		c.Close()
		if name == "host" {
			err = b.Kill()
		} else {
			err = b.Close() // it comes back
		}
		if err != nil {
			t.Error(err)
		}
		before.awaitEmpty(ctx, t)
	}
}

// visit is what one connection of a burst met.
type visit struct {
	took    time.Duration
	refused error
	lost    error
}

// A thousand connections at once: each is served, with its own bytes, or refused; none ends
// as if it had been served.
func TestConnectionBurst(t *testing.T) {
	ctx, s, _ := onWindows(t)
	engine, socket := raw(ctx, t, s, "burst", 0)
	go answerAll(engine)
	const number = 1000
	visits := make([]visit, number)
	var all sync.WaitGroup
	began, start := time.Now(), make(chan struct{})
	for i := range visits {
		all.Go(func() {
			<-start
			visits[i] = call(socket, i)
		})
	}
	close(start)
	all.Wait()
	whole := time.Since(began)
	var took []time.Duration
	refused := 0
	for i, v := range visits {
		switch {
		case v.lost != nil:
			t.Errorf("connection %d: %v", i, v.lost)
		case v.refused != nil:
			refused++
			t.Logf("connection %d was refused: %v", i, v.refused)
		default:
			took = append(took, v.took)
		}
	}
	if len(took) == 0 {
		t.Fatal("none was served")
	}
	slices.Sort(took)
	t.Logf("%d at once: %d served, %d refused, in %v; half of them within %v, the last after %v", number, len(took), refused,
		whole.Round(time.Millisecond), took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
}

// call makes a connection, says something that nobody else says, and wants its hash.
func call(socket string, i int) visit {
	began := time.Now()
	c, err := net.Dial("unix", socket)
	if err != nil {
		return visit{refused: err}
	}
	defer c.Close()
	c.SetDeadline(began.Add(time.Minute))
	said := fmt.Appendf(nil, "connection %d", i)
	_, writeErr := c.Write(said)
	endErr := c.(halfclose.Conn).CloseWrite()
	want := sha256.Sum256(said)
	got, err := io.ReadAll(c)
	isReset := errors.Is(err, unix.ECONNRESET) || errors.Is(writeErr, unix.EPIPE)
	switch {
	case len(got) == 0 && isReset:
		return visit{refused: errors.Join(writeErr, err)}
	case string(got) == string(want[:]) && err == nil && writeErr == nil && endErr == nil:
		return visit{took: time.Since(began)}
	}
	return visit{lost: fmt.Errorf("%d bytes of an answer of %d, then %w", len(got), len(want), errors.Join(writeErr, endErr, err))}
}

// answerAll answers each connection with the hash of what it says.
func answerAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			h := sha256.New()
			if _, err := io.Copy(h, c); err == nil {
				_, _ = c.Write(h.Sum(nil)) // a client sees it
			}
		}()
	}
}
