package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/Microsoft/go-winio"
)

const bound = 20 * time.Second

// start opens a pipe of the test's own in front of an engine, which treats
// each connection as engine does.
func start(t *testing.T, engine func(*net.TCPConn)) string {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(bound))
				engine(c.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() { server.Close(); running.Wait() })

	name := fmt.Sprintf("front_test_%d", rand.Uint64())
	l, err := listen(name, administrators)
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { forward(c.(conn), server.Addr().String()) })
		}
	})
	t.Cleanup(func() { l.Close() })
	return `\\.\pipe\` + name
}

func dial(t *testing.T, path string) conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	c, err := winio.DialPipeContext(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(bound))
	return c.(conn)
}

func random(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func echo(c *net.TCPConn) {
	if _, err := io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c}); err == nil {
		_ = c.CloseWrite()
	}
}

// Whatever goes in comes out, and its end with it.
func TestEcho(t *testing.T) {
	path := start(t, echo)
	for _, size := range []int{0, 1, 4095, 4096, 4097, bufferSize, bufferSize + 1, 3 << 20} {
		c := dial(t, path)
		sent := random(size)
		go func() {
			if _, err := c.Write(sent); err != nil {
				t.Error(err)
			}
			if err := c.CloseWrite(); err != nil {
				t.Error(err)
			}
		}()
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes: got %d back, %v", size, len(got), err)
		}
	}
}

// The engine sees the end of the client's words while the client still hears
// it: what `docker run -i </dev/null` needs.
func TestClientEndsFirst(t *testing.T) {
	answer := random(1 << 20)
	path := start(t, func(c *net.TCPConn) {
		if _, err := io.ReadAll(c); err != nil {
			t.Error(err)
		}
		if _, err := c.Write(answer); err != nil {
			t.Error(err)
		}
	})
	c := dial(t, path)
	if _, err := c.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, answer) {
		t.Errorf("got %d bytes of %d, %v", len(got), len(answer), err)
	}
}

// And the other way round.
func TestEngineEndsFirst(t *testing.T) {
	heard := make(chan string, 1)
	path := start(t, func(c *net.TCPConn) {
		_, _ = c.Write([]byte("goodbye"))
		_ = c.CloseWrite()
		got, err := io.ReadAll(c)
		heard <- fmt.Sprint(string(got), err)
	})
	c := dial(t, path)
	if got, err := io.ReadAll(c); err != nil || string(got) != "goodbye" {
		t.Fatalf("%q %v", got, err)
	}
	if _, err := c.Write([]byte("one word more")); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "one word more<nil>" {
		t.Error(got)
	}
}

// An engine that resets a connection ends the client's both ways at once.
func TestEngineResets(t *testing.T) {
	path := start(t, func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 1))
		_ = c.SetLinger(0) // the close is a reset
	})
	c := dial(t, path)
	if _, err := c.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, winio.ErrTimeout) {
		t.Errorf("read %d bytes, %v", n, err)
	}
	if _, err := c.Write([]byte{1}); err == nil {
		t.Error("a write after the reset is taken")
	}
}

// A client that goes away in the middle of a download takes the engine's
// connection along: dockerd holds the container's lock as long as it is open.
func TestClientVanishes(t *testing.T) {
	ended := make(chan error, 1)
	path := start(t, func(c *net.TCPConn) {
		block := make([]byte, bufferSize)
		for {
			if _, err := c.Write(block); err != nil {
				ended <- err
				return
			}
		}
	})
	c := dial(t, path)
	if _, err := io.ReadFull(c, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	_ = c.Close()
	err := <-ended
	if err, timeout := err.(net.Error); timeout && err.Timeout() {
		t.Fatal("the engine's connection lives on")
	}
	t.Logf("the engine's write failed after %v: %v", time.Since(begun).Round(time.Microsecond), err)
}

// A burst is served whole: dials that find no free instance try again.
func TestBurst(t *testing.T) {
	path := start(t, echo)
	begun := time.Now()
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() { askOnce(t, path) })
	}
	all.Wait()
	t.Logf("32 dials at once and an answer to each took %v", time.Since(begun).Round(time.Millisecond))
}

func askOnce(t *testing.T, path string) {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	c, err := winio.DialPipeContext(ctx, path)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(bound))
	if _, err := c.Write([]byte{7}); err != nil {
		t.Error(err)
	}
	var got [1]byte
	if _, err := io.ReadFull(c, got[:]); err != nil || got[0] != 7 {
		t.Errorf("got %v, %v", got, err)
	}
}

// Many connections wait side by side, and each still answers.
func TestManyIdle(t *testing.T) {
	const many = 200 // 10 ms each: go-winio's clients ask again that often
	path := start(t, echo)
	var open []conn
	for range many {
		open = append(open, dial(t, path))
	}
	for i, c := range open {
		_ = c.SetDeadline(time.Now().Add(bound))
		got := make([]byte, 1)
		if _, err := c.Write([]byte{byte(i)}); err != nil {
			t.Fatal(i, err)
		}
		if _, err := io.ReadFull(c, got); err != nil || got[0] != byte(i) {
			t.Fatal(i, got, err)
		}
	}
}
