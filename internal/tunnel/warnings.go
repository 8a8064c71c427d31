package tunnel

import (
	"errors"
	"sync"
	"time"
)

// maxWarnings is how many of the agent's are told in warnTime, each once: who can have it warn can't
// fill a log.
const (
	maxWarnings = 20
	warnTime    = 10 * time.Minute
)

// warnings are those that were told.
type warnings struct {
	mu    sync.Mutex
	since time.Time
	told  map[string]struct{}
}

// reportWarning tells what the agent warns of.
func (d *Tunnel) reportWarning(link, text string) {
	if d.warnings.isNews(link + ": " + text) {
		d.reportEvent(Event{State: Warned, Link: link, Err: errors.New(text)})
	}
}

func (w *warnings) isNews(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); w.told == nil || now.Sub(w.since) >= warnTime {
		w.since, w.told = now, map[string]struct{}{}
	}
	if _, before := w.told[text]; before || len(w.told) == maxWarnings {
		return false
	}
	w.told[text] = struct{}{}
	return true
}
