package bridge

import (
	"fmt"
	"io"
	"net"
	"testing"
)

// The benchmarks go through a whole bridge within this process, beside a plain unix
// socket: what differs is the bridge's.

// pairing makes both ends of a connection.
type pairing func() (client, engine *net.UnixConn)

// bothWays runs a benchmark through a bridge and on a unix socket.
func bothWays(b *testing.B, run func(b *testing.B, connect pairing)) {
	b.Run("path=bridge", func(b *testing.B) {
		whole := build(b)
		whole.serveKind(b, "engine", KindDocker)
		run(b, func() (client, engine *net.UnixConn) { return whole.connectAfter(b, "G") })
	})
	b.Run("path=socket", func(b *testing.B) {
		l, err := net.Listen("unix", b.TempDir()+"/engine.sock")
		if err != nil {
			b.Fatal(err)
		}
		defer l.Close()
		plain := &bridged{socket: l.Addr().String(), listen: l.(*net.UnixListener)}
		run(b, func() (client, engine *net.UnixConn) { return plain.connectAfter(b, "G") })
	})
}

// connectAfter has the client say something first: a Docker link waits for that.
func (b *bridged) connectAfter(t testing.TB, said string) (client, engine *net.UnixConn) {
	t.Helper()
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, said); err != nil {
		t.Fatal(err)
	}
	e, err := b.listen.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(e, make([]byte, len(said))); err != nil {
		t.Fatal(err)
	}
	return c.(*net.UnixConn), e
}

func BenchmarkRelayOpen(b *testing.B) {
	bothWays(b, func(b *testing.B, connect pairing) {
		b.ReportAllocs()
		for b.Loop() {
			client, engine := connect()
			engine.Close()
			if _, err := io.ReadFull(client, make([]byte, 1)); err != io.EOF {
				b.Fatal(err)
			}
			client.Close()
		}
	})
}

func BenchmarkRelayRoundTrip(b *testing.B) {
	bothWays(b, func(b *testing.B, connect pairing) {
		client, engine := connect()
		defer client.Close()
		defer engine.Close()
		go func() {
			buf := make([]byte, 1)
			for err := error(nil); err == nil; { // ends with the connection
				if _, err = io.ReadFull(engine, buf); err == nil {
					_, err = engine.Write(buf)
				}
			}
		}()
		buf := make([]byte, 1)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.Write(buf); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(client, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRelayBulk sends from the engine to the client. An operation is one write of
// the engine: there are no allocations for it once the buffers have grown.
func BenchmarkRelayBulk(b *testing.B) {
	for _, size := range []int{4 << 10, 32 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("write=%dKiB", size>>10), func(b *testing.B) {
			bothWays(b, func(b *testing.B, connect pairing) { relayBulk(b, connect, size) })
		})
	}
}

func relayBulk(b *testing.B, connect pairing, size int) {
	client, engine := connect()
	defer client.Close()
	defer engine.Close()
	got := make(chan int64, 1)
	in := make([]byte, 64<<10)
	go func() {
		n, _ := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{client}, in)
		got <- n
	}()
	buf := make([]byte, size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	var sent int64
	for b.Loop() {
		n, err := engine.Write(buf)
		sent += int64(n)
		if err != nil {
			b.Fatal(err)
		}
	}
	engine.Close()
	if n := <-got; n != sent {
		b.Fatalf("sent %d bytes, got %d", sent, n)
	}
}
