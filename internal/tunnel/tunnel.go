// Package tunnel keeps the links of a distro served: it starts the agent there
// through one wsl.exe, watches that carrier, and starts anew what was lost.
//
// It decides when something is started, given up or left alone. It knows
// neither what the bytes mean nor what to tell a person: it reports events.
//
// Law: a link that can't be served disturbs no other; a distro that somebody stopped is not started again by us; a carrier that
// stands still is not a lost one; and when Run returns, nothing of ours is left
// on either side but the agent's file.
package tunnel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervisor"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// lookEvery is how often a stopped distro is looked for. A look and a start
// together take less than 10 s.
const lookEvery = 8 * time.Second

// goneEvery is after how many looks it is asked again whether a distro is there at all.
const goneEvery = 8

// Link is what is served.
type Link struct {
	Name   string
	Listen bridge.Listen // what the agent is asked for; Link is Name
	Dial   bridge.Dial   // what a connection leads to

	// A reverse link has these instead: where its clients come in on this side, and what the agent
	// dials for them.
	Door *bridge.ReverseListener
	Lead bridge.AgentRoute

	Version int // with another one it is another link, though all else be the same
}

// State is what the daemon is at.
type State string

// The states.
const (
	Starting State = "starting"       // the agent is being started
	Placing  State = "placing"        // its file is being put into the distro
	Serving  State = "ready"          // a link's connections are carried
	Failing  State = "link-failed"    // a link is not listened for; there will be another attempt
	Frozen   State = "frozen"         // wsl.exe stands still; connections live on
	Thawed   State = "thawed"         // it moves again: serving
	Lost     State = "lost"           // it has ended; there will be another attempt
	Stopped  State = "distro-stopped" // somebody stopped the distro; it is not started again
	Gone     State = "distro-gone"    // there is no distro of that name any more, or never was
	Unused   State = "distro-unused"  // nobody else uses the distro; it may stop
	Draining State = "draining"       // asked to end: connections come to theirs
	Woken    State = "woken"          // the machine has slept, or its user is back: the carrier is asked at once, and the state is as before
	Warned   State = "warning"        // the agent warns of something: the state is as before
)

// Event tells that the state has changed.
type Event struct {
	State   State
	Distro  string
	Link    string           // with Serving, Failing and Warned: which; the others are of all links
	Placed  bool             // with Serving: the agent's file is new there
	Where   bridge.Listening // with Serving: for whom
	Streams int              // with Draining: how many
	Within  time.Duration    // with Draining: what they get
	Err     error            // with Lost, Failing and Gone: why; with Warned: of what
	Pause   time.Duration    // with Lost, Failing, and with Gone if it is not 0: until the next attempt
}

// Tunnel serves the links of one distro.
type Tunnel struct {
	WSL    distro.WSL
	Agent  deploy.Binary
	Distro string      // its name
	Links  []Link      // at the start; Set changes them
	Report func(Event) // called in turn, never at the same time
	Log    *slog.Logger
	Debug  bool // the agent logs each connection

	// Wake, where there is one, tells that the machine has just woken up, or its user is back: then whatever
	// is waited for is looked at once. A clock that has jumped tells it, too.
	Wake <-chan struct{}

	// WhileRunning has the distro stop when nobody but us uses it, where else it
	// is held up. Set changes it.
	WhileRunning bool

	// Persist is for when nobody is there to be told of a first start that fails:
	// it is reported and tried again like every other. With WhileRunning it waits
	// for the distro, too.
	Persist bool

	// Awaits is for a distro that is served since it ran anyway: with Persist a first start waits for it.
	Awaits bool

	books    bridge.Stats
	carrier  carriers
	ending   ending
	warnings warnings

	clock func() time.Time // tests: instead of time.Now

	relays  sync.WaitGroup // of sessions that are over
	host    atomic.Pointer[bridge.Host]
	telling sync.Mutex // one event at a time
	wanted  wanted

	left    time.Time // when the distro was left to stop; zero: it was not, or did
	patient int       // how often it did not stop then
}

// LostError says that the carrier ended by itself.
type LostError struct{ Cause error }

func (e *LostError) Error() string { return "wsl.exe or its distro ended: " + e.Cause.Error() }

// Unwrap gives the cause.
func (e *LostError) Unwrap() error { return e.Cause }

// ErrWedged says that a carrier was given up: a fresh wsl.exe answered and the
// one that carries still did not.
var ErrWedged = errors.New("wsl.exe stands still, and another one does not")

// Run serves until ctx ends, which is success. An error is one of the first
// start: it is for a person, who is there and can cure it. Later ones are
// reported, and tried again; with Persist all are.
func (d *Tunnel) Run(ctx context.Context) error {
	defer d.relays.Wait()
	d.wanted.setInitialLinks(d.Links, d.WhileRunning)
	served := d.Persist
	mayStop, _ := d.wanted.mayStop()
	awaits := d.Persist && (mayStop || d.Awaits)
	var left error // what failed when the last session was left, as asked
	err := supervisor.Run(ctx, func(ctx context.Context) (well time.Duration, err error) {
		if awaits {
			if err := d.awaitDistro(ctx); err != nil {
				return 0, err
			}
		}
		b, err := d.startServing(ctx)
		if err != nil {
			// A distro that has come up is from then on a person's to stop.
			awaits = awaits || d.Persist && d.isCarrierUp(ctx)
			return 0, err
		}
		served, awaits = true, true
		began := time.Now()
		why, failed := d.serveUntilEnd(ctx, b)
		if ctx.Err() != nil {
			left = failed
		}
		return time.Since(began), errors.Join(why, failed)
	}, func(err error, pause time.Duration) (last bool) {
		if served && !errors.Is(err, errUnused) {
			d.reportEvent(FailureEvent(d.Distro, err, pause))
		}
		return !served
	}, d.Wake)
	if served {
		return left // whatever was lost before, it ends as asked
	}
	return err
}

// FailureEvent is the event of an attempt that has failed. It tells a distro that is not there from all
// that may pass.
func FailureEvent(distro string, err error, pause time.Duration) Event {
	e := Event{State: Lost, Distro: distro, Err: err, Pause: pause}
	if errors.Is(err, wsl.ErrDistroNotFound) {
		e.State = Gone
	}
	return e
}

// isCarrierUp tells whether the distro is known to run.
func (d *Tunnel) isCarrierUp(ctx context.Context) bool {
	runs, err := d.WSL.IsDistroRunning(ctx, d.Distro)
	return runs && err == nil
}

func (d *Tunnel) reportEvent(e Event) {
	e.Distro = d.Distro
	d.telling.Lock()
	defer d.telling.Unlock()
	d.Report(e)
}

// awaitDistro returns when the distro runs, whoever has started it. It is for
// a start that nobody asked for.
func (d *Tunnel) awaitDistro(ctx context.Context) error {
	told := State("")
	if !d.left.IsZero() {
		told = Stopped // as it was meant to
	}
	for look := 0; ; {
		runs, err := d.WSL.IsDistroRunning(ctx, d.Distro)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		case runs && d.awaitUseAgain():
			return nil
		}
		if !runs {
			if look++; look%goneEvery == 1 {
				told = d.tellStopped(ctx, told)
			}
			d.left, d.patient = time.Time{}, 0
		}
		select {
		case <-time.After(lookEvery):
		case <-d.Wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// tellStopped tells why a distro does not run, if that is new.
func (d *Tunnel) tellStopped(ctx context.Context, told State) State {
	e := Event{State: Stopped}
	if there, err := d.WSL.HasDistro(ctx, d.Distro); err == nil && !there {
		e = Event{State: Gone, Err: fmt.Errorf("use distro %s: %w", d.Distro, wsl.ErrDistroNotFound)}
	}
	if e.State != told && ctx.Err() == nil {
		d.reportEvent(e)
	}
	return e.State
}

// startServing starts the agent, putting it into the distro first if it is not there,
// and has it listen. It is an error if it can listen for no link at all.
func (d *Tunnel) startServing(ctx context.Context) (*serving, error) {
	d.reportEvent(Event{State: Starting})
	host, placed, err := d.startSession(ctx)
	if err != nil {
		return nil, err
	}
	s := &serving{d: d, host: host, placed: placed, posts: map[string]*linkWorker{}}
	if err := s.listenForAll(ctx); err != nil {
		return nil, errors.Join(err, host.Close())
	}
	return s, nil
}

// SocketError says that the agent could not listen.
type SocketError struct {
	Distro string
	Cause  error
}

func (e *SocketError) Error() string { return "serve socket in " + e.Distro + ": " + e.Cause.Error() }

// Unwrap gives the cause.
func (e *SocketError) Unwrap() error { return e.Cause }

// serveUntilEnd waits for the end, whichever it is, and leaves nothing behind. It tells
// why it ended, nil being that ctx did, and what of the leaving failed.
func (d *Tunnel) serveUntilEnd(ctx context.Context, s *serving) (why, failed error) {
	d.host.Store(s.host)
	defer d.host.Store(nil)
	d.carrier.beginCarrier()
	defer func() { d.carrier.endCarrier(why != nil && !errors.Is(why, errUnused)) }()
	watched, cancel := context.WithCancel(ctx)
	wedged := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		if d.watchCarrier(watched, s.host) != nil {
			close(wedged)
		}
	})
	unused := make(chan struct{})
	watching.Go(func() {
		if d.watchUsers(watched, s.host) {
			close(unused)
		}
	})
	watching.Go(func() { s.followWantedLinks(watched) })
	unwatch := func() { cancel(); watching.Wait() }
	defer unwatch()
	select {
	case <-s.host.Done():
		why = &LostError{s.host.Err()}
	case <-wedged:
		why = ErrWedged
	case <-unused:
		unwatch() // which reports, too
		d.reportEvent(Event{State: Unused})
		d.left = time.Now()
		return errUnused, d.leaveSession(s, unwatch)
	case <-ctx.Done():
		return nil, d.leaveSession(s, unwatch)
	}
	s.host.Abort()
	unwatch()
	d.relays.Go(s.host.AwaitRelays) // the next start need not wait for slow engines
	return why, d.cleanUpDistro(s)
}

// leaveSession ends a session as asked: streams get their time.
func (d *Tunnel) leaveSession(s *serving, unwatch func()) error {
	unwatch()
	ctx, within, cancel := d.ending.beginEndOfTunnel()
	defer cancel()
	if n := s.host.CountStreams(); n > 0 {
		d.reportEvent(Event{State: Draining, Streams: n, Within: within})
	}
	err := s.host.CloseBy(ctx)
	if errors.Is(err, context.Canceled) {
		err = nil // connections were cut, as announced
	}
	if !s.host.AgentLeft() {
		err = errors.Join(err, d.cleanUpDistro(s))
	}
	return err
}

// cleanUpDistro ends an agent that is out of reach and removes its sockets, if the
// distro runs: otherwise all are gone with it.
func (d *Tunnel) cleanUpDistro(s *serving) error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanTime)
	defer cancel()
	runs, err := d.WSL.IsDistroRunning(ctx, d.Distro)
	if err != nil || !runs {
		return nil // nobody is there to be cleaned, or can be asked
	}
	agent, left := s.whatIsLeftBehind()
	if len(left) == 0 && agent.PID > 0 {
		err = d.runAgent(ctx, cleanArgs(agent, nil))
	}
	for sockets := range slices.Chunk(left, distro.MaxCleaned) {
		err = errors.Join(err, d.runAgent(ctx, cleanArgs(agent, sockets)))
	}
	if err != nil {
		return fmt.Errorf("clean up in %s: %w", d.Distro, err)
	}
	return nil
}
