package mux

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
)

// pipes is one end of a carrier made of two pipes, as wsl.exe's stdio is.
type pipes struct {
	io.Reader
	io.Writer
	close func()
}

func (p pipes) Close() error { p.close(); return nil }

// osCarrier gives both ends of a carrier made of two pipes of the system.
func osCarrier(t testing.TB) (a, b io.ReadWriteCloser) {
	r1, w1, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r2, w2, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return pipes{r1, w2, func() { r1.Close(); w2.Close() }}, pipes{r2, w1, func() { r2.Close(); w1.Close() }}
}

// sessions starts both ends on a carrier and closes them with the test.
func sessions(t testing.TB, a, b io.ReadWriteCloser) (host, agent *Session) {
	host, agent = New(a, Host), New(b, Agent)
	t.Cleanup(func() {
		host.Close()
		agent.Close()
	})
	return host, agent
}

func memory(t testing.TB) (host, agent *Session) {
	a, b := net.Pipe()
	return sessions(t, a, b)
}

// connect opens a stream from one session to the other.
func connect(t testing.TB, from, to *Session) (opened, accepted *Stream) {
	t.Helper()
	opened, err := from.Open("link")
	if err != nil {
		t.Fatal(err)
	}
	offer, err := to.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return opened, offer.Accept()
}

// counted counts the writes of a carrier's end.
type counted struct {
	io.ReadWriteCloser
	writes atomic.Int32
}

func (c *counted) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.ReadWriteCloser.Write(b)
}

// A write costs a hop of every relay on the way: an answer that comes at leisure costs one.
func TestAnAnswerTakesItsAcceptAlong(t *testing.T) {
	a, b := osCarrier(t)
	counts := &counted{ReadWriteCloser: a}
	host, agent := sessions(t, counts, b)
	if _, err := host.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for resting := false; !resting; { // else the writer would come by once more
		host.mu.Lock()
		resting = !host.writing
		host.mu.Unlock()
	}
	before := counts.writes.Load()
	opened, accepted := connect(t, agent, host)
	if _, err := opened.Write([]byte("GET")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(accepted, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	if _, err := accepted.Write([]byte("OK")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(opened, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	if n := counts.writes.Load() - before; n != 1 {
		t.Errorf("%d writes, want 1", n)
	}
}

// An ACCEPT that nothing follows is no reason to wait for ever.
func TestDrainSendsALoneAccept(t *testing.T) {
	host, agent := memory(t)
	opened, err := agent.Open("link")
	if err != nil {
		t.Fatal(err)
	}
	offer, err := host.Accept()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- host.Drain(ctx) }()
	<-agent.PeerLeaving()
	accepted := offer.Accept()
	if err := opened.Reset(CodeAborted); err != nil {
		t.Fatal(err)
	}
	var reset *ResetError
	if _, err := accepted.Read(make([]byte, 1)); !errors.As(err, &reset) {
		t.Fatal(err)
	}
	if err := accepted.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestConn(t *testing.T) {
	for name, carrier := range map[string]func() (a, b io.ReadWriteCloser){
		"Memory": func() (a, b io.ReadWriteCloser) { return net.Pipe() },
		"Pipes":  func() (a, b io.ReadWriteCloser) { return osCarrier(t) },
	} {
		for _, hostOpens := range []bool{true, false} {
			direction := map[bool]string{true: "HostOpens", false: "AgentOpens"}[hostOpens]
			t.Run(name+direction, func(t *testing.T) {
				nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
					a, b := carrier()
					host, agent := New(a, Host), New(b, Agent)
					from, to := host, agent
					if !hostOpens {
						from, to = agent, host
					}
					c1, c2 = connect(t, from, to)
					return c1, c2, func() { host.Close(); agent.Close() }, nil
				})
			})
		}
	}
}

func TestHalfClose(t *testing.T) {
	halfclose.Test(t, func(t *testing.T) (client, engine halfclose.Conn) {
		a, b := osCarrier(t)
		host, agent := sessions(t, a, b)
		return connect(t, agent, host)
	})
}

func TestOptimisticData(t *testing.T) {
	host, agent := memory(t)
	st, err := agent.Open("docker")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Write([]byte("GET /_ping")); err != nil {
		t.Fatal(err)
	}
	if err := st.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	offer, err := host.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if offer.Link() != "docker" {
		t.Fatalf("link %q", offer.Link())
	}
	if got, err := io.ReadAll(offer.Accept()); err != nil || string(got) != "GET /_ping" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestRefuse(t *testing.T) {
	host, agent := memory(t)
	st, err := agent.Open("nothing")
	if err != nil {
		t.Fatal(err)
	}
	offer, err := host.Accept()
	if err != nil {
		t.Fatal(err)
	}
	offer.Refuse(RefuseUnknownLink)
	var refused *RefusedError
	if _, err := st.Read(make([]byte, 1)); !errors.As(err, &refused) || refused.Code != RefuseUnknownLink {
		t.Fatalf("read: %v", err)
	}
	if _, err := st.Write([]byte("x")); !errors.As(err, &refused) {
		t.Fatalf("write: %v", err)
	}
	st.Close()
	expectNoStreams(t, host, agent)
}

// expectNoStreams waits by way of pings until both sides have handled all
// frames under way.
func expectNoStreams(t *testing.T, sessions ...*Session) {
	t.Helper()
	for range 2 {
		for _, s := range sessions {
			if _, err := s.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, s := range sessions {
		if n := s.CountStreams(); n != 0 {
			t.Errorf("%d streams left", n)
		}
	}
}

// A reset never takes back what has arrived: go-yamux drops it.
func TestResetKeepsArrivedBytes(t *testing.T) {
	host, agent := memory(t)
	client, engine := connect(t, agent, host)
	if _, err := engine.Write([]byte("no space left on device")); err != nil {
		t.Fatal(err)
	}
	if err := engine.Reset(CodeAborted); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(client)
	var reset *ResetError
	if string(got) != "no space left on device" || !errors.As(err, &reset) || reset.Code != CodeAborted {
		t.Fatalf("got %q, %v", got, err)
	}
	client.Close()
	expectNoStreams(t, host, agent)
}

func TestLossKeepsArrivedBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		host, agent := sessions(t, a, b)
		client, engine := connect(t, agent, host)
		if _, err := engine.Write([]byte("last words")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // they have arrived
		b.Close()
		got, err := io.ReadAll(client)
		var lost *LostError
		if string(got) != "last words" || !errors.As(err, &lost) {
			t.Fatalf("got %q, %v", got, err)
		}
		if _, err := engine.Read(make([]byte, 1)); !errors.As(err, &lost) {
			t.Fatalf("far end: %v", err)
		}
		if _, err := agent.Accept(); !errors.As(err, &lost) {
			t.Fatalf("accept: %v", err)
		}
	})
}

// What is still in the pipe when the peer has gone is delivered although
// nothing can be written any more.
func TestBytesInThePipeOutliveAFailedWrite(t *testing.T) {
	r1, w1, _ := os.Pipe()
	r2, w2, _ := os.Pipe()
	agent := New(pipes{r1, w2, func() { r1.Close(); w2.Close() }}, Agent)
	t.Cleanup(func() { agent.Close() })
	st, err := agent.Open("link")
	if err != nil {
		t.Fatal(err)
	}
	open := make([]byte, headerSize+len("link"))
	if _, err := io.ReadFull(r2, open); err != nil {
		t.Fatal(err)
	}
	r2.Close()
	for err == nil {
		_, err = st.Write([]byte("x"))
	}
	<-agent.WriteFailed()
	frames := appendHeader(nil, frameAccept, st.id, 0)
	frames = append(appendHeader(frames, frameData, st.id, 5), "bytes"...)
	if _, err := w1.Write(frames); err != nil {
		t.Fatal(err)
	}
	w1.Close()
	got, err := io.ReadAll(st)
	var lost *LostError
	if string(got) != "bytes" || !errors.As(err, &lost) {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestStopSendingEndsTheWriter(t *testing.T) {
	host, agent := memory(t)
	client, engine := connect(t, agent, host)
	wrote := make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			_, err = engine.Write(make([]byte, 64<<10))
		}
		wrote <- err
	}()
	if err := client.CloseRead(CodeAborted); err != nil {
		t.Fatal(err)
	}
	var stopped *StoppedError
	if err := <-wrote; !errors.As(err, &stopped) || stopped.Code != CodeAborted {
		t.Fatalf("write: %v", err)
	}
	// The other direction is not touched.
	if _, err := client.Write([]byte("still here")); err != nil {
		t.Fatal(err)
	}
	client.CloseWrite()
	if got, err := io.ReadAll(engine); err != nil || string(got) != "still here" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestCloseIsSeenByThePeer(t *testing.T) {
	host, agent := memory(t)
	client, engine := connect(t, agent, host)
	client.Close()
	if err := client.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second close: %v", err)
	}
	if _, err := engine.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read: %v", err)
	}
	var err error
	for err == nil {
		_, err = engine.Write(make([]byte, 1000))
	}
	var stopped *StoppedError
	if !errors.As(err, &stopped) {
		t.Errorf("write: %v", err)
	}
	engine.Close()
	expectNoStreams(t, host, agent)
}

// A consumer that does not read stops its own stream and nothing else.
func TestStuckConsumerHoldsNobodyUp(t *testing.T) {
	host, agent := memory(t)
	_, stuck := connect(t, agent, host)
	quick, echo := connect(t, agent, host)
	filled := make(chan struct{})
	go func() {
		defer close(filled)
		_, _ = stuck.Write(make([]byte, 4<<20)) // ends with the session
	}()
	go func() { _, _ = io.Copy(echo, echo) }()
	for range 100 {
		if _, err := quick.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(quick, make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-filled:
		t.Fatal("4 MiB went into a window of 16 KiB")
	default:
	}
	host.Close()
	<-filled
}

func TestWindowFollowsTheConsumer(t *testing.T) {
	host, agent := memory(t)
	client, engine := connect(t, agent, host)
	const size = 32 << 20
	go func() {
		_, _ = engine.Write(make([]byte, size)) // a short count shows below
		engine.CloseWrite()
	}()
	n, err := io.Copy(io.Discard, client)
	if n != size || err != nil {
		t.Fatalf("got %d bytes, %v", n, err)
	}
	agent.mu.Lock()
	grown := client.window
	agent.mu.Unlock()
	if grown != maxWindow {
		t.Errorf("window of a consumer that keeps up: %d, want %d", grown, maxWindow)
	}
	client.Close()
	engine.Close()
	expectNoStreams(t, host, agent)
	if agent.extra != 0 {
		t.Errorf("%d bytes of window budget not given back", agent.extra)
	}
}

// With the carrier frozen nothing blocks but Write, Ping and Drain, and what
// is opened and given up leaves nothing.
func TestFrozenCarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe() // nobody reads b
		host := New(a, Host)
		live, err := host.Open("link")
		if err != nil {
			t.Fatal(err)
		}
		for range 20_000 {
			st, err := host.Open("link")
			if err != nil {
				t.Fatal(err)
			}
			st.Reset(CodeAborted)
		}
		if n := host.CountStreams(); n > 2 {
			t.Errorf("%d streams live, want the one in use and at most one on its way out", n)
		}
		live.SetWriteDeadline(time.Now().Add(time.Minute))
		if n, err := live.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %d, %v", n, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := host.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ping: %v", err)
		}
		if err := host.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drain: %v", err)
		}
		host.Close()
		b.Close()
	})
}

func TestPing(t *testing.T) {
	host, agent := memory(t)
	for _, s := range []*Session{host, agent} {
		if _, err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDrain(t *testing.T) {
	host, agent := memory(t)
	client, engine := connect(t, agent, host)
	drained := make(chan error, 1)
	go func() { drained <- host.Drain(t.Context()) }()
	<-agent.PeerLeaving()
	if _, err := agent.Open("link"); !errors.Is(err, ErrGoingAway) {
		t.Errorf("open: %v", err)
	}
	// Live streams go on to their end.
	if _, err := engine.Write([]byte("result")); err != nil {
		t.Fatal(err)
	}
	engine.Close()
	if got, err := io.ReadAll(client); err != nil || string(got) != "result" {
		t.Errorf("got %q, %v", got, err)
	}
	select {
	case err := <-drained:
		t.Fatalf("drained with a live stream: %v", err)
	default:
	}
	client.Close()
	if err := <-drained; err != nil {
		t.Errorf("drain: %v", err)
	}
}

func TestDrainResetsAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, agent := memory(t)
		client, _ := connect(t, agent, host)
		unanswered, err := agent.Open("link")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := host.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drain: %v", err)
		}
		var reset *ResetError
		if _, err := client.Read(make([]byte, 1)); !errors.As(err, &reset) || reset.Code != CodeShutdown {
			t.Errorf("read: %v", err)
		}
		var refused *RefusedError
		if _, err := unanswered.Read(make([]byte, 1)); !errors.As(err, &refused) {
			t.Errorf("read of a stream that nobody answered: %v", err)
		}
		host.Close()
		agent.Close()
	})
}

// A peer that leaves when everything is said takes nothing from an owner that has yet to read it, for
// as long as Drain was given.
func TestDrainWaitsForReadersOfAPeerThatHasLeft(t *testing.T) {
	for _, inTime := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			host, agent := memory(t)
			client, engine := connect(t, host, agent)
			cut := make(chan struct{})
			client.OnAbort(func() { close(cut) })
			if _, err := engine.Write([]byte("result")); err != nil {
				t.Fatal(err)
			}
			client.CloseWrite()
			if _, err := io.ReadAll(engine); err != nil {
				t.Fatal(err)
			}
			engine.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			drained := make(chan error, 1)
			go func() { drained <- host.Drain(ctx) }()
			synctest.Wait()
			agent.Close()
			<-host.Done()
			synctest.Wait()
			if !host.PeerLeft() {
				t.Error("it has not left")
			}
			select {
			case err := <-drained:
				t.Errorf("drained with something to read: %v", err)
			case <-cut:
				t.Error("the reader is cut")
			default:
			}
			if !inTime {
				if err := <-drained; !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("after the time: %v", err)
				}
				<-cut
				return
			}
			if got, err := io.ReadAll(client); string(got) != "result" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
			client.Close()
			if err := <-drained; err != nil {
				t.Errorf("drain: %v", err)
			}
		})
	}
}

func TestTooManyStreams(t *testing.T) {
	host, agent := memory(t)
	for range maxStreams {
		if _, err := agent.Open("link"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := agent.Open("link"); !errors.Is(err, ErrTooManyStreams) {
		t.Errorf("open: %v", err)
	}
	for range maxStreams {
		if _, err := host.Accept(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLinkNames(t *testing.T) {
	host, _ := memory(t)
	for _, name := range []string{"", "a b", "\x1b[2J", string(bytes.Repeat([]byte("a"), 65))} {
		if _, err := host.Open(name); err == nil {
			t.Errorf("link name %q was taken", name)
		}
	}
}

func TestOnStop(t *testing.T) {
	host, agent := memory(t)
	client, engine := connect(t, agent, host)
	told := make(chan struct{})
	client.OnStop(func() { close(told) })
	engine.CloseRead(CodeClosed)
	<-told
	late := make(chan struct{})
	client.OnStop(func() { close(late) })
	<-late
	if _, err := client.Write([]byte("x")); err == nil {
		t.Error("a write to who reads no more succeeds")
	}
}

// Whatever ends a Read's wait ends that of who is parked in its place, once.
func TestParkEndsAsAReadsWait(t *testing.T) {
	for name, end := range map[string]func(own, far *Stream){
		"bytes":   func(_, far *Stream) { _, _ = far.Write([]byte("x")) },
		"end":     func(_, far *Stream) { _ = far.CloseWrite() },
		"reset":   func(_, far *Stream) { _ = far.Reset(CodeAborted) },
		"loss":    func(_, far *Stream) { _ = far.session.Close() },
		"closing": func(own, _ *Stream) { _ = own.Close() },
	} {
		synctest.Test(t, func(t *testing.T) {
			host, agent := memory(t)
			own, far := connect(t, agent, host)
			woken := 0
			wake := func() { woken++ }
			if !own.Park(wake) {
				t.Fatalf("%s: it would not wait", name)
			}
			synctest.Wait()
			if woken > 0 {
				t.Errorf("%s: woken by nothing", name)
			}
			for range 2 { // the second time nobody is parked
				end(own, far)
				synctest.Wait()
			}
			if woken != 1 {
				t.Errorf("%s: woken %d times", name, woken)
			}
			if own.Park(wake) {
				t.Errorf("%s: it would wait", name)
			}
			host.Close()
			agent.Close()
		})
	}
}

func TestOnAbort(t *testing.T) {
	host, agent := memory(t)
	client, engine := connect(t, agent, host)
	told := make(chan struct{})
	client.OnAbort(func() { close(told) })
	engine.Reset(CodeAborted)
	<-told
	late := make(chan struct{})
	client.OnAbort(func() { close(late) })
	<-late
	client, _ = connect(t, agent, host)
	lost := make(chan struct{})
	client.OnAbort(func() { close(lost) })
	host.Close()
	<-lost
}
