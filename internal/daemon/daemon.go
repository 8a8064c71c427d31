// Package daemon keeps a link served in its distro: it starts the agent there
// through one wsl.exe, watches that carrier, and starts anew what was lost.
//
// It decides when something is started, given up or left alone. It knows
// neither what the bytes mean nor what to tell a person: it reports events.
//
// Law: a distro that somebody stopped is not started again by us; a carrier that
// stands still is not a lost one; and when Run returns, nothing of ours is left
// on either side but the agent's file.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervisor"
)

// lookEvery is how often a stopped distro is looked for. A look and a start
// together take less than 10 s.
const lookEvery = 8 * time.Second

// Link is what is served.
type Link struct {
	Name   string
	Distro string        // its name
	Listen bridge.Listen // what the agent is asked for; Link is Name
	Dial   bridge.Dial   // what a connection leads to
}

// State is what the daemon is at.
type State string

// The states.
const (
	Starting State = "starting"       // the agent is being started
	Placing  State = "placing"        // its file is being put into the distro
	Serving  State = "ready"          // connections are carried
	Frozen   State = "frozen"         // wsl.exe stands still; connections live on
	Thawed   State = "thawed"         // it moves again: serving
	Lost     State = "lost"           // it has ended; there will be another attempt
	Stopped  State = "distro-stopped" // somebody stopped the distro; it is not started again
	Unused   State = "distro-unused"  // nobody else uses the distro; it may stop
	Draining State = "draining"       // asked to end: connections come to theirs
)

// Event tells that the state has changed.
type Event struct {
	State   State
	Distro  string
	Placed  bool             // with Serving: the agent's file is new there
	Where   bridge.Listening // with Serving: for whom
	Streams int              // with Draining: how many
	Err     error            // with Lost: why
	Pause   time.Duration    // with Lost: until the next attempt
}

// Daemon serves one link.
type Daemon struct {
	WSL    WSL
	Agent  deploy.Binary
	Link   Link
	Report func(Event) // called in turn, never at the same time
	Log    *slog.Logger
	Debug  bool // the agent logs each connection

	// Wake, where there is one, tells that the machine has just woken up: then the carrier is
	// asked at once whether it moves.
	Wake <-chan struct{}

	// WhileRunning has the distro stop when nobody but us uses it, where else it
	// is held up.
	WhileRunning bool

	// Persist is for when nobody is there to be told of a first start that fails:
	// it is reported and tried again like every other. With WhileRunning it waits
	// for the distro, too.
	Persist bool

	relays sync.WaitGroup // of sessions that are over
	host   atomic.Pointer[bridge.Host]

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
func (d *Daemon) Run(ctx context.Context) error {
	defer d.relays.Wait()
	served := d.Persist
	awaits := d.Persist && d.WhileRunning
	var left error // what failed when the last session was left, as asked
	err := supervisor.Run(ctx, func(ctx context.Context) (well time.Duration, err error) {
		if awaits {
			if err := d.awaitDistro(ctx); err != nil {
				return 0, err
			}
		}
		b, err := d.start(ctx)
		if err != nil {
			// A distro that has come up is from then on a person's to stop.
			awaits = awaits || d.Persist && d.isUp(ctx)
			return 0, err
		}
		served, awaits = true, true
		began := time.Now()
		why, failed := d.serve(ctx, b)
		if ctx.Err() != nil {
			left = failed
		}
		return time.Since(began), errors.Join(why, failed)
	}, func(err error, pause time.Duration) (last bool) {
		if served && !errors.Is(err, errUnused) {
			d.report(Event{State: Lost, Err: err, Pause: pause})
		}
		return !served
	})
	if served {
		return left // whatever was lost before, it ends as asked
	}
	return err
}

// isUp tells whether the distro is known to run.
func (d *Daemon) isUp(ctx context.Context) bool {
	runs, err := d.WSL.runs(ctx, d.Link.Distro)
	return runs && err == nil
}

func (d *Daemon) report(e Event) {
	e.Distro = d.Link.Distro
	d.Report(e)
}

// awaitDistro returns when the distro runs, whoever has started it. It is for
// a start that nobody asked for.
func (d *Daemon) awaitDistro(ctx context.Context) error {
	for told := !d.left.IsZero(); ; {
		runs, err := d.WSL.runs(ctx, d.Link.Distro)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		case runs && d.usedAgain():
			return nil
		case !runs && !told:
			d.report(Event{State: Stopped})
		}
		if !runs {
			told, d.left, d.patient = true, time.Time{}, 0
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// serving is a carrier in use.
type serving struct {
	host  *bridge.Host
	where bridge.Listening
}

// start starts the agent, putting it into the distro first if it is not there,
// and has it listen.
func (d *Daemon) start(ctx context.Context) (*serving, error) {
	d.report(Event{State: Starting})
	host, placed, err := d.join(ctx)
	if err != nil {
		return nil, err
	}
	where, err := host.Listen(ctx, d.Link.Listen)
	if err != nil {
		return nil, errors.Join(&SocketError{d.Link.Distro, err}, host.Close())
	}
	d.report(Event{State: Serving, Placed: placed, Where: where})
	return &serving{host, where}, nil
}

// SocketError says that the agent could not listen.
type SocketError struct {
	Distro string
	Cause  error
}

func (e *SocketError) Error() string { return "serve socket in " + e.Distro + ": " + e.Cause.Error() }

// Unwrap gives the cause.
func (e *SocketError) Unwrap() error { return e.Cause }

// serve waits for the end, whichever it is, and leaves nothing behind. It tells
// why it ended, nil being that ctx did, and what of the leaving failed.
func (d *Daemon) serve(ctx context.Context, s *serving) (why, failed error) {
	d.host.Store(s.host)
	defer d.host.Store(nil)
	watched, cancel := context.WithCancel(ctx)
	wedged := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		if d.watch(watched, s.host) != nil {
			close(wedged)
		}
	})
	unused := make(chan struct{})
	watching.Go(func() {
		if d.WhileRunning && d.watchUsers(watched, s.host) {
			close(unused)
		}
	})
	unwatch := func() { cancel(); watching.Wait() }
	defer unwatch()
	select {
	case <-s.host.Done():
		why = &LostError{s.host.Err()}
	case <-wedged:
		why = ErrWedged
	case <-unused:
		unwatch() // which reports, too
		d.report(Event{State: Unused})
		d.left = time.Now()
		return errUnused, d.leave(s, unwatch)
	case <-ctx.Done():
		return nil, d.leave(s, unwatch)
	}
	s.host.Abort()
	d.relays.Go(s.host.Wait) // the next start need not wait for slow engines
	return why, d.clean(s.where)
}

// leave ends a session as asked: streams get their time.
func (d *Daemon) leave(s *serving, unwatch func()) error {
	unwatch()
	if n := s.host.Streams(); n > 0 {
		d.report(Event{State: Draining, Streams: n})
	}
	err := s.host.Close()
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // connections were cut, as announced
	}
	if !s.host.Left() {
		err = errors.Join(err, d.clean(s.where))
	}
	return err
}

// clean ends an agent that is out of reach and removes its socket, if the
// distro runs: otherwise both are gone with it.
func (d *Daemon) clean(where bridge.Listening) error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanTime)
	defer cancel()
	runs, err := d.WSL.runs(ctx, d.Link.Distro)
	if err != nil || !runs {
		return nil // nobody is there to be cleaned, or can be asked
	}
	if err := d.run(ctx, cleanArgs(where, d.Link.Listen.Socket)); err != nil {
		return fmt.Errorf("clean up in %s: %w", d.Link.Distro, err)
	}
	return nil
}
