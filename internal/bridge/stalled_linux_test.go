package bridge

import (
	"bufio"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// slowerBy is how much stalled clients may slow others down.
const slowerBy = 2

// Clients that open and stall, half of them by not reading an answer without end,
// half of them by a request whose head never ends, do not slow others down.
//
// The figures are medians of exchanges on new connections. Rounds with and
// without stalled clients take turns, and the best of each are compared, since a
// busy machine only adds. Where it adds too much there are more of them.
func TestStalledClientsSlowNobodyDown(t *testing.T) {
	const stalled, exchanges, most = 50, 200, 20
	rounds := 5
	if os.Getenv("DWB_FULL") != "" {
		rounds = 15
	}
	for _, kind := range []string{"raw", KindDocker} {
		t.Run(kind, func(t *testing.T) {
			b := build(t)
			b.serveKind(t, "engine", kind)
			engine := serveTalkers(t, b.listen)
			var alone, among []time.Duration
			slower := func() bool { return slices.Min(among) > slowerBy*slices.Min(alone) }
			for i := 0; i < rounds || i < most && slower(); i++ {
				alone = append(alone, b.medianExchange(t, exchanges))
				release := b.stall(t, engine, stalled)
				among = append(among, b.medianExchange(t, exchanges))
				release()
				t.Logf("alone %v, beside %d stalled clients %v", alone[i], stalled, among[i])
			}
			if slower() {
				t.Errorf("an exchange takes %v beside %d stalled clients, and %v without", among, stalled, alone)
			}
		})
	}
}

// medianExchange is what a short question and its answer take on a new
// connection, at the median.
func (b *bridged) medianExchange(t *testing.T, n int) time.Duration {
	t.Helper()
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		c := b.say(t, "GET /_ping HTTP/1.1\r\n")
		if _, err := io.ReadFull(c, make([]byte, len(talkerAnswer))); err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(began)
		c.Close()
	}
	slices.Sort(took)
	return took[n/2]
}

// say connects and begins to speak.
func (b *bridged) say(t *testing.T, words string) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, words); err != nil {
		t.Fatal(err)
	}
	return c
}

// stall has n clients stalled when it returns, until it is released.
func (b *bridged) stall(t *testing.T, engine *talkers, n int) (release func()) {
	t.Helper()
	done := make(chan struct{})
	var clients sync.WaitGroup
	var conns []net.Conn
	for i := range n {
		if i%2 == 0 {
			conns = append(conns, b.say(t, "GET /flood HTTP/1.1\r\n"))
			continue
		}
		c := b.say(t, "GET /silence HTTP/1.1\r\n")
		conns = append(conns, c)
		clients.Go(func() {
			for tick := time.NewTicker(10 * time.Millisecond); ; {
				select {
				case <-tick.C:
				case <-done:
					tick.Stop()
					return
				}
				if _, err := io.WriteString(c, "X-Never: ending\r\n"); err != nil {
					return
				}
			}
		})
	}
	engine.awaitFull(t, (n+1)/2)
	return func() {
		close(done)
		clients.Wait()
		for _, c := range conns {
			c.Close()
		}
	}
}

const talkerAnswer = "HTTP/1.1 200 OK\r\n\r\n"

// talkers are an engine that does what the first line asks for.
type talkers struct {
	floods  atomic.Int64 // connections that are flooded
	flooded atomic.Int64 // bytes
}

func serveTalkers(t *testing.T, l net.Listener) *talkers {
	e := &talkers{}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { e.talk(c) })
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return e
}

func (e *talkers) talk(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	line, err := in.ReadString('\n')
	switch {
	case err != nil:
	case line == "GET /_ping HTTP/1.1\r\n":
		_, _ = io.WriteString(c, talkerAnswer)
		_, _ = io.Copy(io.Discard, in)
	case line == "GET /flood HTTP/1.1\r\n":
		e.floods.Add(1)
		defer e.floods.Add(-1)
		for block := make([]byte, 32<<10); err == nil; {
			var n int
			n, err = c.Write(block)
			e.flooded.Add(int64(n))
		}
	default:
		_, _ = io.Copy(io.Discard, in)
	}
}

// awaitFull returns when n clients are flooded and everything between has
// filled up.
func (e *talkers) awaitFull(t *testing.T, n int) {
	t.Helper()
	const quiet = 200 * time.Millisecond
	seen, since := int64(-1), time.Now()
	limit := time.After(30 * time.Second)
	for look := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-look.C:
		case <-limit:
			t.Fatal("the stalled clients are still served")
		}
		if now := e.flooded.Load(); now != seen || int(e.floods.Load()) < n {
			seen, since = now, time.Now()
		}
		if time.Since(since) > quiet {
			look.Stop()
			return
		}
	}
}
