package bridge

import (
	"context"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
)

const (
	// fresh is how long a sign of life counts: what has been heard of the other
	// half a moment ago saves a question on each of many connections.
	fresh = 500 * time.Millisecond
	// holdTime is what a frozen carrier gets to answer before a client is told.
	holdTime = 2 * time.Second
)

// liveness tells a frozen carrier from a quiet one, by asking when somebody wants
// to know and never else: an idle bridge sends nothing.
type liveness struct {
	session *mux.Session
	asking  sync.WaitGroup

	mu    sync.Mutex
	beat  chan struct{} // closed when the question under way is answered; nil: there is none
	asked time.Time     // when that question was put
}

// isAlive tells whether the carrier works. While it stands still the answer takes
// until holdTime after the first question; then it is no at once, until it moves.
// A session that has died is nobody's to wait for: yes.
func (p *liveness) isAlive() bool {
	if p.session.QuietTime() < fresh {
		return true
	}
	beat, asked := p.startPing()
	wait := time.NewTimer(time.Until(asked.Add(holdTime)))
	defer wait.Stop()
	select {
	case <-beat:
		return true
	case <-wait.C:
		return false
	}
}

// startPing puts the question, unless one is under way.
func (p *liveness) startPing() (beat <-chan struct{}, asked time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.beat == nil {
		answered := make(chan struct{})
		p.beat, p.asked = answered, time.Now()
		p.asking.Go(func() {
			_, _ = p.session.Ping(context.Background()) // ends with the session
			p.mu.Lock()
			defer p.mu.Unlock()
			p.beat = nil
			close(answered)
		})
	}
	return p.beat, p.asked
}
