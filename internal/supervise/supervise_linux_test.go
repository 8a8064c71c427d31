package supervise

import (
	"bytes"
	"context"
	"testing"
	"time"
)

// jammed is a screen that stops for good in the middle of a command's output.
type jammed struct {
	stops   chan struct{} // closed when it does
	release chan struct{}
}

func (j *jammed) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("y\n")) {
		close(j.stops)
		<-j.release
	}
	return len(b), nil
}

// Ctrl-C ends supervise also when nobody takes its output any more: text is selected in the console, or
// the reader of a pipe has stopped.
func TestSuperviseEndsThoughItsScreenStandsStill(t *testing.T) {
	t.Parallel()
	screen := &jammed{make(chan struct{}), make(chan struct{})}
	defer close(screen.release)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := NewCommand()
	s.Restart = RestartOnFailure
	ended := make(chan error, 1)
	go func() { ended <- s.Supervise(ctx, []string{"/bin/sh", "-c", "yes >&2 & exec yes"}, screen) }()
	patience := time.After(time.Minute)
	select {
	case <-screen.stops:
	case <-patience:
		t.Fatal("the command has said nothing")
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it has ended with %v", err)
		}
	case <-patience:
		t.Fatal("it does not end")
	}
}
