package control

import (
	"context"
	"sync"
	"time"
)

// StopTime bounds the wait for a bridge's end: connections get 5 s, the agent 2 s to leave, and a
// launch that cleans up after one that does not 10 s.
const StopTime = 20 * time.Second

// StopError says that a bridge did not end.
type StopError struct {
	Place Place
	PID   int
	Err   error
}

func (e *StopError) Error() string {
	return "the bridge for " + PlaceName(e.Place) + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *StopError) Unwrap() error { return e.Err }

// StopAllInstances stops all at once.
func StopAllInstances(ctx context.Context, found []Found) []error {
	ctx, cancel := context.WithTimeout(ctx, StopTime)
	defer cancel()
	errs := make([]error, len(found))
	var stopping sync.WaitGroup
	for i, f := range found {
		stopping.Go(func() {
			if err := StopInstance(ctx, f.At); err != nil {
				errs[i] = &StopError{f.Place, f.PID, err}
			}
		})
	}
	stopping.Wait()
	return errs
}
