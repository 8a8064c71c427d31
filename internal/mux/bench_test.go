package mux

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"

	yamux "github.com/libp2p/go-yamux/v5"
)

// A conn of either multiplexer.
type conn interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// yardstick is what a benchmark needs of a multiplexer.
type yardstick struct {
	open   func() (conn, error)
	accept func() (conn, error)
}

func ours(b *testing.B) yardstick {
	x, y := osCarrier(b)
	host, agent := sessions(b, x, y)
	return yardstick{
		open: func() (conn, error) { return agent.Open("link") },
		accept: func() (conn, error) {
			o, err := host.Accept()
			if err != nil {
				return nil, err
			}
			return o.Accept(), nil
		},
	}
}

// pipeConn gives go-yamux the net.Conn it wants.
type pipeConn struct {
	io.ReadWriteCloser
	net.Conn
}

func (p pipeConn) Read(b []byte) (int, error)  { return p.ReadWriteCloser.Read(b) }
func (p pipeConn) Write(b []byte) (int, error) { return p.ReadWriteCloser.Write(b) }
func (p pipeConn) Close() error                { return p.ReadWriteCloser.Close() }

func theirs(b *testing.B) yardstick {
	x, y := osCarrier(b)
	dead, _ := net.Pipe() // for addresses and deadlines, which pipes lack
	cfg := yamux.DefaultConfig()
	cfg.LogOutput = io.Discard
	cfg.EnableKeepAlive = false
	cfg.MeasureRTTInterval = 1 << 62
	client, err := yamux.Client(pipeConn{x, dead}, cfg, nil)
	if err != nil {
		b.Fatal(err)
	}
	server, err := yamux.Server(pipeConn{y, dead}, cfg, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close(); server.Close() })
	return yardstick{
		open:   func() (conn, error) { return client.OpenStream(context.Background()) },
		accept: func() (conn, error) { return server.AcceptStream() },
	}
}

// both runs a benchmark on this multiplexer and on go-yamux, the yardstick.
func both(b *testing.B, run func(b *testing.B, m yardstick)) {
	b.Run("mux=ours", func(b *testing.B) { run(b, ours(b)) })
	b.Run("mux=go-yamux", func(b *testing.B) { run(b, theirs(b)) })
}

// serve accepts streams and runs handle on each.
func serve(m yardstick, handle func(c conn)) {
	go func() {
		for {
			c, err := m.accept()
			if err != nil {
				return
			}
			go handle(c)
		}
	}()
}

func echo(c conn) {
	_, _ = io.Copy(c, c) // ends with its peer
	c.Close()
}

func BenchmarkOpenEcho(b *testing.B) {
	both(b, func(b *testing.B, m yardstick) {
		serve(m, echo)
		buf := make([]byte, 1)
		b.ReportAllocs()
		for b.Loop() {
			c, err := m.open()
			if err != nil {
				b.Fatal(err)
			}
			c.Write(buf)
			io.ReadFull(c, buf)
			c.Close()
		}
	})
}

func BenchmarkRoundTrip(b *testing.B) {
	both(b, func(b *testing.B, m yardstick) {
		serve(m, echo)
		c, err := m.open()
		if err != nil {
			b.Fatal(err)
		}
		buf := make([]byte, 1)
		b.ReportAllocs()
		for b.Loop() {
			c.Write(buf)
			io.ReadFull(c, buf)
		}
	})
}

func BenchmarkBulk(b *testing.B) {
	for _, size := range []int{4 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("write=%dKiB", size>>10), func(b *testing.B) {
			both(b, func(b *testing.B, m yardstick) {
				got := make(chan int64, 1)
				serve(m, func(c conn) {
					n, _ := io.CopyBuffer(io.Discard, struct{ io.Reader }{c}, make([]byte, 32<<10))
					got <- n
				})
				c, err := m.open()
				if err != nil {
					b.Fatal(err)
				}
				buf := make([]byte, size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				var sent int64
				for b.Loop() {
					n, _ := c.Write(buf)
					sent += int64(n)
				}
				c.CloseWrite()
				if n := <-got; n != sent {
					b.Fatalf("sent %d, got %d", sent, n)
				}
			})
		})
	}
}

// BenchmarkBesideBulk measures a round trip while eight streams send all
// they can the same way.
func BenchmarkBesideBulk(b *testing.B) {
	both(b, func(b *testing.B, m yardstick) {
		serve(m, func(c conn) {
			first := make([]byte, 1)
			if _, err := io.ReadFull(c, first); err != nil {
				return
			}
			if first[0] == 'b' {
				_, _ = io.Copy(io.Discard, c)
				return
			}
			echo(c)
		})
		for range 8 {
			c, err := m.open()
			if err != nil {
				b.Fatal(err)
			}
			go func() {
				_, err := c.Write([]byte("b"))
				for buf := make([]byte, 64<<10); err == nil; {
					_, err = c.Write(buf)
				}
			}()
		}
		c, err := m.open()
		if err != nil {
			b.Fatal(err)
		}
		buf := []byte("e")
		c.Write(buf)
		for b.Loop() {
			c.Write(buf)
			io.ReadFull(c, buf)
		}
	})
}

// BenchmarkIdleStreams measures what 1,000 streams cost that have carried a byte
// each way and rest: B/stream is memory in use, of both sides together, and the
// time is a round trip's on one of them.
func BenchmarkIdleStreams(b *testing.B) {
	both(b, func(b *testing.B, m yardstick) {
		accepted := make(chan conn, 1)
		serve(m, func(c conn) {
			buf := make([]byte, 1)
			c.Read(buf)
			c.Write(buf)
			accepted <- c
		})
		const streams = 1000
		held := make([]conn, 0, 2*streams)
		buf := make([]byte, 1)
		before := inUse()
		for range streams {
			c, err := m.open()
			if err != nil {
				b.Fatal(err)
			}
			c.Write(buf)
			io.ReadFull(c, buf)
			held = append(held, c, <-accepted)
		}
		each := float64(inUse()-before) / streams
		near, far := held[0], held[1]
		go echo(far)
		for b.Loop() {
			near.Write(buf)
			io.ReadFull(near, buf)
		}
		b.ReportMetric(each, "B/stream") // the loop would forget it before
		runtime.KeepAlive(held)
	})
}

// inUse is the memory of the heap and of stacks. A pool keeps its own for one
// collection, hence two.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
