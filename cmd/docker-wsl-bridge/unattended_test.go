package main

import (
	"context"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
)

// A service looks at once when the machine wakes up and when its user is back, and for nothing else.
func TestWhatAwakensAService(t *testing.T) {
	events := make(chan service.Event)
	var o options
	o.serve = func(context.Context) error {
		for e := service.Suspend; e <= service.Unlock; e++ {
			events <- e
			events <- service.Suspend // taken when e has been seen to
			woken := false
			select {
			case <-o.wake:
				woken = true
			default:
			}
			if want := e == service.Resume || e == service.Connect || e == service.Unlock; woken != want {
				t.Errorf("%v: it looks %v, want %v", e, woken, want)
			}
		}
		return nil
	}
	if code := o.serviceBody(t.Context(), service.Control{Started: func() {}, Events: events}); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
