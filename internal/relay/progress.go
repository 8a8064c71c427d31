package relay

import (
	"sync"
	"sync/atomic"
	"time"
)

// lingerTime is how long the second direction of a relay may stand still
// once the first has failed.
const lingerTime = 5 * time.Second

// progress is that of the hand-ons of a relay.
type progress struct {
	moved   atomic.Int64 // counts them, when they begin and when they end
	writing atomic.Int32 // those under way

	mu     sync.Mutex
	timer  *time.Timer // of boundRest
	ending bool
}

func (p *progress) beginWrite() {
	p.writing.Add(1)
	p.moved.Add(1)
}

func (p *progress) endWrite() {
	p.moved.Add(1)
	p.writing.Add(-1)
}

// boundRest bounds what is left once one direction has failed: a hand-on, of 32 KiB at most,
// that takes longer than lingerTime is to somebody who will never read. Smaller steps can't be seen: a
// unix socket takes more only when a whole one has been read.
func (r *Relay) boundRest() {
	p := &r.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil || p.ending {
		return
	}
	seen := p.moved.Load()
	p.timer = time.AfterFunc(lingerTime, func() {
		now := p.moved.Load()
		if now == seen && p.writing.Load() > 0 {
			r.abortBoth()
			return
		}
		seen = now
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.ending {
			p.timer.Reset(lingerTime)
		}
	})
}

// stopTimer ends the bound.
func (p *progress) stopTimer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ending = true
	if p.timer != nil {
		p.timer.Stop()
	}
}
