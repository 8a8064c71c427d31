package endpoint

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
)

// pipes makes connections through a named pipe: what was dialled, and what came out of the
// listener.
func pipes(t *testing.T, name string, messages bool) func() (dialled, accepted net.Conn, err error) {
	t.Helper()
	e := pipe(t, name)
	l, err := winio.ListenPipe(e.Path(), &winio.PipeConfig{MessageMode: messages, SecurityDescriptor: trusted, InputBufferSize: 65536, OutputBufferSize: 65536})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	accepted := listenOnSocket(t, e, l)
	return func() (dialled, served net.Conn, err error) {
		if dialled, err = e.Dial(context.Background()); err != nil {
			return nil, nil, err
		}
		served, ok := <-accepted
		if !ok {
			return nil, nil, errors.Join(net.ErrClosed, dialled.Close())
		}
		return dialled, served, nil
	}
}

// listenOnSocket is what comes out of the listener, for as long as it listens.
func listenOnSocket(t *testing.T, e Endpoint, l net.Listener) <-chan net.Conn {
	t.Helper()
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	takeParked(t, e, accepted)
	return accepted
}

// takeParked dials until a connection comes out of the listener. Under Wine the first
// client can land on the instance that go-winio opens to park its listener, and is never
// served; it stays open, so that no other lands there.
func takeParked(t *testing.T, e Endpoint, accepted <-chan net.Conn) {
	t.Helper()
	for range 100 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		c, err := e.Dial(ctx)
		cancel()
		if err == nil {
			t.Cleanup(func() { c.Close() })
		}
		select {
		case served := <-accepted:
			served.Close()
			return
		case <-time.After(50 * time.Millisecond): // it hangs: another one
		}
	}
	t.Fatal("no connection was accepted")
}

// A pipe that takes a single client still does when somebody has looked whether it is there.
func TestThereLeavesAPipesOnlyInstanceFree(t *testing.T) {
	e := pipe(t, "endpoint-test-single")
	if certain, err := e.CheckExists(t.Context()); certain || !errors.Is(err, fs.ErrNotExist) || !strings.HasSuffix(err.Error(), ": there is no such place") {
		t.Errorf("no pipe: %v, %v", certain, err)
	}
	name, err := windows.UTF16PtrFromString(e.Path())
	if err != nil {
		t.Fatal(err)
	}
	server, err := windows.CreateNamedPipe(name, windows.PIPE_ACCESS_DUPLEX|windows.FILE_FLAG_OVERLAPPED, windows.PIPE_TYPE_BYTE, 1, 4096, 4096, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(server)
	there := func(how string) {
		if certain, err := e.CheckExists(t.Context()); certain || err != nil {
			t.Errorf("a pipe that is %s: %v, %v", how, certain, err)
		}
	}
	there("free")
	c, err := e.DialAnyOwner(t.Context())
	if err != nil {
		t.Fatalf("it is free no more: %v", err)
	}
	defer c.Close()
	there("taken")
}

func TestMessagePipeHalfClose(t *testing.T) {
	pair := pipes(t, "endpoint-test-halfclose", true)
	halfclose.Test(t, func(t *testing.T) (client, engine halfclose.Conn) {
		dialled, accepted, err := pair()
		if err != nil {
			t.Fatal(err)
		}
		return dialled.(halfclose.Conn), accepted.(halfclose.Conn)
	})
}

// The one rule for pipes in byte mode: the end of input is not passed on, and costs the
// answer nothing. Wine says of such a pipe that it takes messages (PIPE_TYPE_MESSAGE), and
// it does: there it has a CloseWrite, which arrives. It must cost the answer as little.
func TestBytePipesPassNoEndOfInput(t *testing.T) {
	client, engine, err := pipes(t, "endpoint-test-bytes", false)()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	defer engine.Close()
	for _, c := range []net.Conn{client, engine} {
		c.SetDeadline(time.Now().Add(30 * time.Second))
	}
	if _, ends := engine.(CloseWriter); ends {
		t.Error("a byte-mode pipe's server has a half-close")
	}
	if _, err := io.WriteString(client, "request"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(engine, make([]byte, len("request"))); err != nil {
		t.Fatal(err)
	}
	c, isWine := client.(CloseWriter)
	if isWine {
		t.Log("this Windows takes a byte-mode pipe for one in message mode")
		if err := c.CloseWrite(); err != nil {
			t.Errorf("end of input: %v", err)
		}
	}
	engine.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, err := engine.Read(make([]byte, 1)); !isTimeout(err) && !(isWine && err == io.EOF) {
		t.Errorf("at the end of input the engine reads %d bytes, %v", n, err)
	}
	if _, err := io.WriteString(engine, "answer"); err != nil {
		t.Errorf("answer: %v", err)
	}
	engine.Close()
	if got, err := io.ReadAll(client); string(got) != "answer" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func isTimeout(err error) bool {
	var timed net.Error
	return errors.As(err, &timed) && timed.Timeout()
}

// A pipe that is closed in mid-stream reads as an end of stream, as that of a program that
// was killed does: go-winio makes io.EOF of ERROR_BROKEN_PIPE. Resetter says so.
func TestPipesHaveNoReset(t *testing.T) {
	client, engine, err := pipes(t, "endpoint-test-broken", true)()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.SetDeadline(time.Now().Add(30 * time.Second))
	if _, resets := client.(Resetter); resets {
		t.Error("a pipe has a reset; docs/architecture.md says it has none")
	}
	if _, err := io.WriteString(client, "unread"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(engine, "half"); err != nil {
		t.Fatal(err)
	}
	engine.Close()
	if got, err := io.ReadAll(client); string(got) != "half" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := client.Write([]byte("x")); err == nil {
		t.Error("a write to a closed pipe succeeds")
	}
}

// A server's Flush returns when its client has read everything, and not before; that of a client that never
// reads ends with the connection. The bridge waits so for a head to be taken.
func TestAPipesFlushWaitsForItsReaderAndItsEnd(t *testing.T) {
	pair := pipes(t, "endpoint-test-flush", true)
	for _, reads := range []bool{true, false} {
		client, server, err := pair()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := server.Write([]byte("head")); err != nil {
			t.Fatal(err)
		}
		flushed := make(chan struct{})
		go func() {
			_ = server.(interface{ Flush() error }).Flush()
			close(flushed)
		}()
		select {
		case <-flushed:
			t.Errorf("reads %t: flushed before", reads)
		case <-time.After(100 * time.Millisecond):
		}
		if reads {
			if _, err := io.ReadFull(client, make([]byte, 4)); err != nil {
				t.Fatal(err)
			}
		} else {
			server.Close()
		}
		select {
		case <-flushed:
		case <-time.After(30 * time.Second):
			t.Errorf("reads %t: it waits on", reads)
		}
		client.Close()
		server.Close()
	}
}
