package mux

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// How long TestSchedules goes on, and from which seed; a failure names its seed.
// In the long form (DWB_FULL) it is a minute.
var (
	scheduleTime = flag.Duration("schedules", time.Second, "how long to try random schedules")
	scheduleSeed = flag.Uint64("seed", 0, "the one schedule to try")
)

// plan is what one end of a stream does: it writes so much and ends so, it
// reads so much and ends so.
type plan struct {
	write      int
	writeEnd   string // "end", "reset"
	read       int    // -1: to the end
	pause      bool   // the reader stops for a while
	chunkWrite int
	chunkRead  int
	seed       byte // of the bytes
}

func (p plan) String() string {
	return fmt.Sprintf("writes %d in %d, %s; reads %d in %d", p.write, p.chunkWrite, p.writeEnd, p.read, p.chunkRead)
}

func newPlan(r *rand.Rand) plan {
	sizes := []int{0, 1, 100, quantum, initialWindow, initialWindow + 1, 60_000, 500_000}
	p := plan{
		write: sizes[r.IntN(len(sizes))], writeEnd: "end", read: -1, pause: r.IntN(8) == 0,
		chunkWrite: 1 + r.IntN(1<<r.IntN(17)), chunkRead: 1 + r.IntN(1<<r.IntN(17)), seed: byte(r.Uint32()),
	}
	if p.write >= 60_000 { // not in single bytes
		p.chunkWrite += 2048
	}
	p.chunkRead += 512
	switch r.IntN(8) {
	case 0:
		p.writeEnd = "reset"
	case 1:
		p.read = r.IntN(50_000)
	}
	return p
}

// content is byte i of what a plan writes.
func (p plan) content(from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((from+i)*7+(from+i)>>8) ^ p.seed
	}
	return b
}

// outcome is what one end met.
type outcome struct {
	plan     plan
	wrote    int
	writeErr error
	got      int
	readErr  error // nil: it stopped by plan
	garbled  bool
}

// end is what a plan is played with: a stream, or a plain socket.
type end interface {
	io.ReadWriteCloser
	CloseWrite() error
	CloseRead(Code) error
	Reset(Code) error
}

// play does what the plan says with one end of a connection. other is the far
// end's plan: what it writes must arrive.
func play(st end, p, other plan) outcome {
	o := outcome{plan: p}
	var both sync.WaitGroup
	both.Go(func() {
		for o.wrote < p.write && o.writeErr == nil {
			var n int
			n, o.writeErr = st.Write(p.content(o.wrote, min(p.chunkWrite, p.write-o.wrote)))
			o.wrote += n
		}
		if p.writeEnd == "reset" {
			_ = st.Reset(CodeAborted)
			return
		}
		_ = st.CloseWrite()
	})
	both.Go(func() {
		b := make([]byte, p.chunkRead)
		for p.read < 0 || o.got < p.read {
			n, err := st.Read(b)
			o.garbled = o.garbled || !bytes.Equal(b[:n], other.content(o.got, n))
			o.got += n
			if err != nil {
				o.readErr = err
				return
			}
			if p.pause && o.got > 10_000 {
				time.Sleep(100 * time.Microsecond) // a slow consumer, not a synchronisation
			}
		}
		_ = st.CloseRead(CodeClosed)
	})
	both.Wait()
	_ = st.Close()
	return o
}

// judge compares what one direction delivered with what a pair of sockets
// would have: the reader's outcome r, the writer's outcome w.
func judge(r, w outcome) error {
	var reset *ResetError
	var stopped *StoppedError
	writerReset, readerReset := w.plan.writeEnd == "reset", r.plan.writeEnd == "reset"
	switch {
	case r.garbled:
		return errors.New("other bytes than were written")
	case r.got > w.wrote:
		return errors.New("more bytes than were written")
	case readerReset: // it cut both directions when it was through with writing
		return nil
	case r.readErr == nil:
		if r.got < r.plan.read {
			return errors.New("a short read without an error")
		}
	case r.got != w.wrote:
		return fmt.Errorf("%d bytes of %d, then %v", r.got, w.wrote, r.readErr)
	case writerReset && !(errors.As(r.readErr, &reset) && reset.Code == CodeAborted):
		return fmt.Errorf("reset arrived as %v", r.readErr)
	case !writerReset && r.readErr != io.EOF:
		return fmt.Errorf("end of stream arrived as %v", r.readErr)
	}
	if w.writeErr != nil && !errors.As(w.writeErr, &stopped) {
		return fmt.Errorf("write ended with %v", w.writeErr)
	}
	if w.writeErr != nil && r.plan.read < 0 {
		return fmt.Errorf("write ended with %v, the reader wanted all", w.writeErr)
	}
	return nil
}

// windowsAddUp checks a session's accounts while it runs.
func windowsAddUp(s *Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	extra := 0
	for _, st := range s.streams {
		extra += st.window - initialWindow
		sum := st.credit + st.received.length + st.consumed + st.grant
		if !st.readClosed && !st.gone && sum != st.window {
			return fmt.Errorf("stream %d: credit %d, buffered %d, consumed %d, to grant %d; window %d",
				st.id, st.credit, st.received.length, st.consumed, st.grant, st.window)
		}
		if st.window < initialWindow || st.window > maxWindow {
			return fmt.Errorf("stream %d: window %d", st.id, st.window)
		}
	}
	if extra != s.extra || extra > windowBudget {
		return fmt.Errorf("windows exceed by %d, accounted for %d", extra, s.extra)
	}
	return nil
}

// scheduled is one random schedule on one pair of sessions.
type scheduled struct {
	t           *testing.T
	seed        uint64
	rng         *rand.Rand
	host, agent *Session
}

func (s *scheduled) run() {
	a, b := osCarrier(s.t)
	part := func() *rand.Rand { return rand.New(rand.NewPCG(s.rng.Uint64(), 0)) }
	slow := s.rng.IntN(6) == 0
	s.host = New(&carriage{ReadWriteCloser: a, slow: slow, rng: part()}, Host)
	s.agent = New(&carriage{ReadWriteCloser: b, slow: slow, rng: part()}, Agent)
	stop, watched := make(chan struct{}), make(chan struct{})
	go s.watch(stop, watched)
	var streams sync.WaitGroup
	for range 1 + s.rng.IntN(12) {
		from, to := s.host, s.agent
		if s.rng.IntN(2) == 0 {
			from, to = to, from
		}
		opened, accepted := connect(s.t, from, to)
		p, q := newPlan(s.rng), newPlan(s.rng)
		if p.writeEnd == "reset" {
			q.writeEnd = "end" // who is first is not to be told from outside
		}
		streams.Go(func() { s.one(opened, accepted, p, q) })
	}
	s.bounded(&streams)
	close(stop)
	<-watched
	expectNoStreams(s.t, s.host, s.agent)
	s.host.Close()
	s.agent.Close()
}

// playBoth plays both ends.
func playBoth(a, b end, p, q plan) (near, far outcome) {
	there := make(chan outcome, 1)
	go func() { there <- play(b, q, p) }()
	near = play(a, p, q)
	return near, <-there
}

// one plays both ends of a stream and judges both directions, by themselves and
// by what a pair of sockets makes of the same plans.
func (s *scheduled) one(a, b *Stream, p, q plan) {
	plain := make(chan [2]outcome, 1)
	go func() { plain <- s.plainly(p, q) }()
	near, there := playBoth(a, b, p, q)
	s.compare(a.id, [2]outcome{near, there}, <-plain)
	for _, d := range []struct{ r, w outcome }{{near, there}, {there, near}} {
		if err := judge(d.r, d.w); err != nil {
			s.t.Errorf("seed %d: stream %d: the writer %v; the reader %v: %v", s.seed, a.id, d.w.plan, d.r.plan, err)
		}
	}
}

// watch looks at the accounts as long as the schedule runs.
func (s *scheduled) watch(stop <-chan struct{}, watched chan<- struct{}) {
	defer close(watched)
	for {
		for _, side := range []*Session{s.host, s.agent} {
			if err := windowsAddUp(side); err != nil {
				s.t.Errorf("seed %d: %v", s.seed, err)
				return
			}
		}
		select {
		case <-stop:
			return
		case <-time.After(100 * time.Microsecond):
		}
	}
}

// bounded makes a failure of a hang.
func (s *scheduled) bounded(streams *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() { streams.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		s.t.Errorf("seed %d: streams still run after 20 s", s.seed)
		s.host.Close()
		s.agent.Close()
		<-ended
	}
}

// Whatever many streams do at a time over a carrier that cuts writes up, delays
// them and stands still, each direction delivers what a pair of sockets does, and
// nothing is left over.
func TestSchedules(t *testing.T) {
	if os.Getenv("DWB_FULL") != "" {
		*scheduleTime = max(*scheduleTime, time.Minute)
	}
	seed, end := rand.Uint64(), time.Now().Add(*scheduleTime)
	if *scheduleSeed != 0 {
		seed, end = *scheduleSeed, time.Now()
	}
	for n := 0; !t.Failed(); n++ {
		s := &scheduled{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1))}
		s.run()
		seed = rand.Uint64()
		if time.Now().After(end) {
			t.Logf("%d schedules", n+1)
			return
		}
	}
}

// A carrier that is lost at any moment leaves every reader a prefix of what
// was written, and an error that says so, and no call that hangs.
func TestLossAtAnyMoment(t *testing.T) {
	for range 20 {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 2))
		lossAfter := time.Duration(rng.IntN(3000)) * time.Microsecond
		a, b := net.Pipe()
		host, agent := New(a, Host), New(&carriage{ReadWriteCloser: b, rng: rng}, Agent)
		var streams sync.WaitGroup
		for range 8 {
			opened, accepted := connect(t, agent, host)
			p := plan{write: 8 << 20, writeEnd: "end", read: -1, chunkWrite: 5000, chunkRead: 3000, seed: 1}
			for _, st := range []*Stream{opened, accepted} {
				streams.Go(func() {
					var lost *LostError
					if o := play(st, p, p); o.garbled || !errors.As(o.readErr, &lost) {
						t.Errorf("seed %d: read %d bytes, garbled %t, then %v", seed, o.got, o.garbled, o.readErr)
					}
				})
			}
		}
		time.AfterFunc(lossAfter, func() { b.Close() })
		streams.Wait()
		host.Close()
		agent.Close()
	}
}
