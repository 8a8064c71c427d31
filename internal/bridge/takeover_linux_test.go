package bridge

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

const (
	upgraded  = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
	attached  = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\r\n"
	session   = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
	start     = "POST /v1.41/exec/ab12/start HTTP/1.1\r\nHost: docker\r\nContent-Length: 2\r\n\r\n{}"
	execFrame = "\x01\x00\x00\x00\x00\x00\x00\x05hello"
)

// hijacked has the engine take connections one after the other: it answers requests until one starts
// an exec, and has serve do the rest, with the connection and what reads it.
func (b *bridged) hijacked(t *testing.T, serve func(e *net.UnixConn, said io.Reader)) {
	t.Helper()
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			e, err := b.listen.AcceptUnix()
			if err != nil {
				return
			}
			answerUntilExec(e, serve)
		}
	}()
	t.Cleanup(func() { b.listen.Close(); <-over })
}

func answerUntilExec(e *net.UnixConn, serve func(e *net.UnixConn, said io.Reader)) {
	defer e.Close()
	_ = e.SetDeadline(time.Now().Add(30 * time.Second))
	said := bufio.NewReader(e)
	for {
		r, err := http.ReadRequest(said)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case strings.HasSuffix(r.URL.Path, "/start"):
			serve(e, said)
			return
		case r.Method == http.MethodHead:
			_, _ = io.WriteString(e, "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")
		default:
			_, _ = io.WriteString(e, "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{\"Id\":\"ab\"}\r\n0\r\n\r\n")
		}
	}
}

// docker-py reads a head through a buffer and then the bare socket. The engine's output is not
// in one read with the head, even if the engine has written both at once: 500 of 500.
func TestTheOutputOfAnExecIsNotReadWithItsHead(t *testing.T) {
	for _, way := range []string{"forward", "reverse"} {
		b := build(t)
		if way == "forward" {
			b.serveKind(t, "engine", KindDocker)
		} else {
			b.reverse(t, KindDocker)
		}
		heads, served := []string{upgraded, attached}, 0
		b.hijacked(t, func(e *net.UnixConn, _ io.Reader) {
			head := heads[served%2]
			if served%4 < 2 {
				_, _ = io.WriteString(e, head+execFrame)
			} else {
				_, _ = io.WriteString(e, head[:40])
				_, _ = io.WriteString(e, head[40:])
				_, _ = io.WriteString(e, execFrame)
			}
			served++
		})
		for round := range 250 {
			head := heads[round%2]
			c := b.say(t, []string{"HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n", "POST /containers/ab/exec HTTP/1.1\r\nHost: docker\r\n\r\n", start}[round%3])
			_ = c.SetDeadline(time.Now().Add(30 * time.Second))
			if round%3 < 2 { // on a connection that is kept
				readHead(t, c)
				if _, err := io.WriteString(c, start); err != nil {
					t.Fatal(err)
				}
			}
			if got := readHead(t, c); got != head {
				t.Fatalf("%s, round %d: with the head came %q", way, round, got[min(len(got), len(head)):])
			}
			if got, err := io.ReadAll(c); string(got) != execFrame || err != nil {
				t.Fatalf("%s, round %d: %q, %v", way, round, got, err)
			}
			c.Close()
		}
	}
}

// readHead reads as docker-py does, as much as there is until a head is whole.
func readHead(t *testing.T, c net.Conn) string {
	t.Helper()
	var got []byte
	for !bytes.Contains(got, []byte("\r\n\r\n")) || bytes.HasSuffix(got, []byte("chunked\r\n\r\n")) {
		b := make([]byte, 8192)
		n, err := c.Read(b)
		if err != nil {
			t.Fatalf("read head: %v, behind %q", err, got)
		}
		got = append(got, b[:n]...)
	}
	return string(got)
}

// A client that does not read gets the output all the same: it may wait until there is enough.
func TestAHeadThatIsNotReadHoldsNothingUp(t *testing.T) {
	t.Parallel()
	b := build(t)
	b.serveKind(t, "engine", KindDocker)
	b.hijacked(t, func(e *net.UnixConn, said io.Reader) {
		_, _ = io.WriteString(e, upgraded+execFrame)
		_, _ = io.Copy(io.Discard, said)
	})
	c := b.say(t, start)
	defer c.Close()
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	until(t, "head and output", func() bool {
		n := 0
		_ = raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
		return n == len(upgraded+execFrame)
	})
}

// Through two bridges, of which the first has the second as its client, head and output stay apart and nobody waits.
func TestAnExecThroughTwoBridgesWaitsForNothing(t *testing.T) {
	b := build(t)
	b.serveKind(t, "engine", KindDocker)
	forward := b.socket
	b.socket = filepath.Join(t.TempDir(), "clients.sock")
	if _, err := b.host.RouteInAgent(t.Context(), AgentRoute{Link: "back", Socket: forward}); err != nil {
		t.Fatal(err)
	}
	b.doorOf(t, "back", KindDocker).RouteThrough(b.host)
	b.hijacked(t, func(e *net.UnixConn, _ io.Reader) { _, _ = io.WriteString(e, upgraded+execFrame) })
	const rounds = 20
	limit := time.Now().Add(rounds * time.Second) // half of what a head at a pipe may wait
	for range rounds {
		c := b.say(t, start)
		_ = c.SetDeadline(limit)
		if got := readHead(t, c); got != upgraded {
			t.Fatalf("%q", got)
		}
		if got, err := io.ReadAll(c); string(got) != execFrame || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
		c.Close()
	}
}

// dockerd only ends its output when an exec has ended. A client at a pipe may know no such end, so
// its connection is closed behind the output; what it had sent until then arrives.
func TestTheEndOfAnExecClosesAPipe(t *testing.T) {
	output := bytes.Repeat([]byte("output "), 50_000)
	input := bytes.Repeat([]byte("input "), 16_000)
	for _, head := range []string{upgraded, attached, "HTTP/1.0 200 OK\r\n\r\n"} {
		b := build(t)
		b.reverse(t, KindDocker)
		heard := make(chan string, 1)
		b.hijacked(t, func(e *net.UnixConn, said io.Reader) {
			_, _ = said.(*bufio.Reader).Peek(1)
			_, _ = io.WriteString(e, head)
			_, _ = e.Write(output)
			_ = e.CloseWrite()
			got, err := io.ReadAll(said) // to the end of the connection, which it does not close
			if !bytes.Equal(got, input) || err != nil {
				heard <- string(got[:min(len(got), 20)])
			}
			close(heard)
		})
		c := b.say(t, start)
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := c.Write(input); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, append([]byte(head), output...)) {
			t.Errorf("%q: %d bytes of %d, %v", head, len(got), len(head)+len(output), err)
		}
		if !isClosed(t, c.(*net.UnixConn)) {
			t.Errorf("%q: the client's connection is open", head)
		}
		if wrong, is := <-heard; is {
			t.Errorf("%q: the engine heard %q", head, wrong)
		}
		until(t, "the connection to end", func() bool { return b.host.CountStreamsOf("back") == 0 })
		c.Close()
	}
}

// An engine that reads no more and never closes holds nothing of a client that still sends.
func TestTheEndOfAnExecWhoseInputNobodyReads(t *testing.T) {
	t.Parallel()
	b := build(t)
	b.reverse(t, KindDocker)
	stopped := make(chan struct{})
	b.hijacked(t, func(e *net.UnixConn, _ io.Reader) {
		_, _ = io.WriteString(e, upgraded+execFrame)
		_ = e.CloseWrite()
		<-stopped
	})
	c := b.say(t, start)
	defer c.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for b := make([]byte, 64<<10); ; {
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	}()
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	if got, err := io.ReadAll(c); string(got) != upgraded+execFrame || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	<-sent
	until(t, "the connection to end", func() bool { return b.host.CountStreamsOf("back") == 0 })
	close(stopped)
}

// Whoever has agreed on another protocol, or is to get further answers, hears its client behind the end of
// its own output.
func TestTheEndOfOtherOutputClosesNoPipe(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{session, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"} {
		b := build(t)
		b.reverse(t, KindDocker)
		heard := make(chan string, 1)
		b.hijacked(t, func(e *net.UnixConn, said io.Reader) {
			_, _ = io.WriteString(e, answer)
			_ = e.CloseWrite()
			got, _ := io.ReadAll(said)
			heard <- string(got)
		})
		c := b.say(t, start)
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		if got, err := io.ReadAll(c); string(got) != answer || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		<-time.After(time.Second) // longer than the end of a raw stream takes
		if _, err := io.WriteString(c, "more"); err != nil {
			t.Error(err)
		}
		_ = c.(*net.UnixConn).CloseWrite()
		if got := <-heard; got != "more" {
			t.Errorf("%q: the engine heard %q", answer, got)
		}
		c.Close()
	}
}

// docker-py itself, on connections that it keeps: 500 of 500 are whole, though the engine writes head and output at
// once.
func TestDockerPyGetsTheOutputOfEveryExec(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.PartPython)
	b := build(t)
	b.serveKind(t, "engine", KindDocker)
	var serving sync.WaitGroup
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			e, err := b.listen.AcceptUnix()
			if err != nil {
				return
			}
			serving.Go(func() {
				answerUntilExec(e, func(e *net.UnixConn, _ io.Reader) { _, _ = io.WriteString(e, upgraded+execFrame) })
			})
		}
	}()
	const execs = "500"
	script := `import sys, docker
c = docker.APIClient(base_url='unix://' + sys.argv[1], version='1.41', timeout=30)
whole = 0
for i in range(int(sys.argv[2])):
    out = c.exec_start(c.exec_create('ab', 'cmd')['Id'], stream=i % 2 == 0)
    whole += (b''.join(out) if i % 2 == 0 else out) == b'hello'
print(whole, end='')
`
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "-", b.socket, execs)
	cmd.Stdin = strings.NewReader(script)
	if got, err := cmd.CombinedOutput(); string(got) != execs || err != nil {
		t.Errorf("%s of %s whole, %v", got, execs, err)
	}
	b.listen.Close()
	<-over
	serving.Wait()
}
