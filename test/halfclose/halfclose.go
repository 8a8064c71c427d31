// Package halfclose is the conformance test of everything that carries one
// connection of the bridge: what one direction does never shortens the other.
//
// It knows nothing of the product; it is given a function that makes a pair
// of connected ends and drives them as a client and an engine would.
package halfclose

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

// Conn is a connection that can end one direction alone.
type Conn interface {
	net.Conn
	CloseWrite() error
}

// Make gives two connected ends.
type Make func(t *testing.T) (client, engine Conn)

// bound is where a hang becomes a failure.
const bound = 30 * time.Second

// Test runs every case, with each end in each part.
func Test(t *testing.T, pair Make) {
	t.Run("forward", func(t *testing.T) { Forward(t, pair) })
	t.Run("backward", func(t *testing.T) {
		Forward(t, func(t *testing.T) (Conn, Conn) {
			a, b := pair(t)
			return b, a
		})
	})
}

// Forward runs every case with the ends as they are made: the client is the first
// to end its direction.
func Forward(t *testing.T, mk Make) {
	t.Run("OutputAfterInputEnded", func(t *testing.T) { outputAfterInputEnded(t, mk) })
	t.Run("EmptyInput", func(t *testing.T) { emptyInput(t, mk) })
	t.Run("BulkBothWays", func(t *testing.T) { bulkBothWays(t, mk) })
	t.Run("EndBehindUnreadBytes", func(t *testing.T) { endBehindUnreadBytes(t, mk) })
	t.Run("EndWakesReader", func(t *testing.T) { endWakesReader(t, mk) })
	t.Run("NoWriteAfterEnd", func(t *testing.T) { noWriteAfterEnd(t, mk) })
}

func ends(t *testing.T, mk Make) (Conn, Conn) {
	a, b := mk(t)
	limit := time.Now().Add(bound)
	for _, c := range []Conn{a, b} {
		if err := c.SetDeadline(limit); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	return a, b
}

func payload(n int) []byte {
	p := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// send writes and ends its direction; the channel gives the outcome.
func send(c Conn, p []byte) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := c.Write(p)
		done <- errors.Join(err, c.CloseWrite())
	}()
	return done
}

func expect(t *testing.T, c Conn, want []byte) {
	t.Helper()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("read to the end: %v after %d of %d bytes", err, len(got), len(want))
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("got %d bytes that differ from the %d sent", len(got), len(want))
	}
}

func wait(t *testing.T, done <-chan error) {
	t.Helper()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// The answer that starts after the question has ended. socat with a plain EXEC loses
// it: half a second after one direction it ends the other.
func outputAfterInputEnded(t *testing.T, mk Make) {
	client, engine := ends(t, mk)
	question, answer := payload(1000), payload(300_000)
	asked := send(client, question)
	expect(t, engine, question)
	wait(t, asked)
	answered := send(engine, answer)
	expect(t, client, answer)
	wait(t, answered)
}

func emptyInput(t *testing.T, mk Make) {
	client, engine := ends(t, mk)
	asked := send(client, nil)
	expect(t, engine, nil)
	wait(t, asked)
	answered := send(engine, payload(10))
	expect(t, client, payload(10))
	wait(t, answered)
}

func bulkBothWays(t *testing.T, mk Make) {
	client, engine := ends(t, mk)
	up, down := payload(3_000_000), payload(2_000_000)
	sentUp, sentDown := send(client, up), send(engine, down)
	got := make(chan []byte, 1)
	go func() {
		b, _ := io.ReadAll(engine) // a short read shows in the comparison
		got <- b
	}()
	expect(t, client, down)
	if !bytes.Equal(<-got, up) {
		t.Fatal("the bytes up differ from those sent")
	}
	wait(t, sentUp)
	wait(t, sentDown)
}

func endBehindUnreadBytes(t *testing.T, mk Make) {
	client, engine := ends(t, mk)
	p := payload(500_000)
	sent := send(client, p)
	first := make([]byte, 1)
	if _, err := io.ReadFull(engine, first); err != nil {
		t.Fatal(err)
	}
	expect(t, engine, p[1:])
	wait(t, sent)
}

func endWakesReader(t *testing.T, mk Make) {
	client, engine := ends(t, mk)
	woken := make(chan error, 1)
	go func() {
		_, err := engine.Read(make([]byte, 1))
		woken <- err
	}()
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := <-woken; err != io.EOF {
		t.Fatalf("read: got %v, want end of stream", err)
	}
}

func noWriteAfterEnd(t *testing.T, mk Make) {
	client, _ := ends(t, mk)
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := client.Write([]byte("x")); err == nil {
		t.Fatalf("write after the end took %d bytes", n)
	}
}
