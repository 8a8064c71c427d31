package tunnel

import (
	"context"
	"sync"
	"time"
)

// endTime is what connections get to come to their end when nothing else was said.
const endTime = 5 * time.Second

// ending is how long connections get when a session is left.
type ending struct {
	mu     sync.Mutex
	within time.Duration // 0: endTime
	timer  *time.Timer   // of the context that begin has given; nil before
	until  time.Time     // when it fires
}

// DrainWithin gives connections so long to come to their end, once Run is to end. Hurry takes that back.
func (d *Tunnel) DrainWithin(within time.Duration) {
	d.ending.mu.Lock()
	defer d.ending.mu.Unlock()
	if d.ending.timer == nil {
		d.ending.within = max(within, 1)
	}
}

// EndDrain leaves them no more than what they get as a rule, from now on.
func (d *Tunnel) EndDrain() {
	d.ending.mu.Lock()
	defer d.ending.mu.Unlock()
	e := &d.ending
	e.within = 0
	if e.timer != nil && time.Until(e.until) > endTime && e.timer.Stop() {
		e.timer.Reset(endTime)
		e.until = time.Now().Add(endTime)
	}
}

// beginEndOfTunnel gives a context that ends when connections are to be cut.
func (e *ending) beginEndOfTunnel() (ctx context.Context, within time.Duration, cancel context.CancelFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if within = e.within; within == 0 {
		within = endTime
	}
	over, cut := context.WithCancel(context.Background())
	e.until = time.Now().Add(within)
	e.timer = time.AfterFunc(within, cut)
	return over, within, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.timer.Stop()
		e.timer = nil
		cut()
	}
}
