package console

import (
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// A console whose output somebody has stopped stops nothing else.
func TestAStoppedScreenStopsNoEvent(t *testing.T) {
	stopped := make(chan struct{})
	var shown []tunnel.State
	s := NewEventQueue(func(e tunnel.Event) {
		<-stopped
		shown = append(shown, e.State)
	})
	told := make(chan struct{})
	go func() {
		defer close(told)
		for range 2 * QueuedEvents {
			s.ShowEvent(tunnel.Event{State: tunnel.Frozen})
		}
	}()
	select {
	case <-told:
	case <-time.After(30 * time.Second):
		t.Fatal("who reports waits for the screen")
	}
	close(stopped)
	s.Close()
	if n := len(shown); n < QueuedEvents || n > QueuedEvents+1 {
		t.Errorf("%d events are shown", n)
	}
}
