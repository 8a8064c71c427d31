package service

import (
	"context"
	"sync"
	"time"
)

const (
	// startHint is how long the SCM is asked to wait for a start.
	startHint = 30 * time.Second
	// stopTime bounds a stop: a command that has to be asked twice and killed, each at its
	// slowest, is within it. Before a shutdown Windows itself waits for 10 s only
	// (SERVICE_PRESHUTDOWN_INFO), and what is left then goes with the machine.
	stopTime = 20 * time.Second
	// checkpoint is the time between two signs of life while the body ends, and
	// stopHint how long the SCM is asked to wait for each.
	checkpoint = time.Second
	stopHint   = 5 * time.Second
	// keptEvents is how many wait for a body that is busy.
	keptEvents = 32
)

type state int

const (
	startPending state = iota
	running
	stopPending
)

// status is what the SCM is told.
type status struct {
	state      state
	checkpoint uint32
	hint       time.Duration
}

// server is a service's life between the SCM and the body.
type server struct {
	report func(status)
	now    status
	cancel context.CancelFunc
	events chan Event

	ticks, limit <-chan time.Time // of a stop that is under way
}

// serveBody runs the body and returns the service's exit code. The end itself is reported by the caller.
func serveBody(requests <-chan request, report func(status), body Body) (code uint32) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &server{report: report, cancel: cancel, events: make(chan Event, keptEvents)}
	s.setStatus(status{state: startPending, checkpoint: 1, hint: startHint})
	ready, ended := make(chan struct{}), make(chan uint32, 1)
	go func() {
		ended <- body(ctx, Control{Started: sync.OnceFunc(func() { close(ready) }), Events: s.events})
	}()
	for {
		select {
		case code := <-ended:
			return code
		case <-ready:
			ready = nil
			if s.now.state == startPending {
				s.setStatus(status{state: running})
			}
		case r := <-requests:
			s.handleRequest(r)
		case <-s.ticks:
			s.setStatus(status{state: stopPending, checkpoint: s.now.checkpoint + 1, hint: stopHint})
			s.ticks = time.After(checkpoint)
		case <-s.limit:
			return errTimeout // the process ends now, and with it all that the body holds
		}
	}
}

func (s *server) setStatus(now status) {
	s.now = now
	s.report(now)
}

func (s *server) handleRequest(r request) {
	if e, known := events[r]; known {
		select {
		case s.events <- e:
		default:
		}
		return
	}
	switch {
	case r.control == interrogate:
		s.report(s.now)
	case r.control == stop && s.now.state != stopPending:
		s.setStatus(status{state: stopPending, checkpoint: 1, hint: stopHint})
		s.ticks, s.limit = time.After(checkpoint), time.After(stopTime)
		s.cancel()
	}
}
