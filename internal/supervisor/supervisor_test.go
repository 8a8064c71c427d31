package supervisor

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var errLost = errors.New("lost")

// run makes attempts that go well for so long and returns the pauses between them.
func run(t *testing.T, lengths ...time.Duration) (pauses []time.Duration) {
	t.Helper()
	var ended time.Time
	err := Run(t.Context(), func(context.Context) (time.Duration, error) {
		if !ended.IsZero() {
			pauses = append(pauses, time.Since(ended))
		}
		time.Sleep(2 * time.Minute) // a start that hangs
		ended = time.Now()
		return lengths[len(pauses)], errLost
	}, func(err error, _ time.Duration) bool { return err != errLost || len(pauses) == len(lengths)-1 }, nil)
	if err != errLost {
		t.Fatal(err)
	}
	return pauses
}

func within(t *testing.T, got, want time.Duration) {
	t.Helper()
	if got < want*3/4 || got > want*5/4 {
		t.Errorf("pause of %v, want %v and a quarter more or less", got, want)
	}
}

func TestPausesDoubleUpToHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := []time.Duration{time.Second / 2, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second}
		for i, got := range run(t, make([]time.Duration, len(want)+1)...) {
			within(t, got, want[i])
		}
	})
}

func TestAHealthyMinuteStartsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pauses := run(t, 0, 0, 0, time.Minute, 59*time.Second, 0)
		for i, want := range []time.Duration{time.Second / 2, time.Second, 2 * time.Second, time.Second / 2, time.Second} {
			within(t, pauses[i], want)
		}
	})
}

func TestPausesDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := run(t, 0, 0, 0), run(t, 0, 0, 0)
		if a[0] == b[0] && a[1] == b[1] {
			t.Errorf("twice %v", a)
		}
	})
}

// The end of the context ends a pause and an attempt, and says what ended last.
func TestContextEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, lasts := range []bool{true, false} {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			began := time.Now()
			err := Run(ctx, func(ctx context.Context) (time.Duration, error) {
				if lasts {
					<-ctx.Done()
				}
				return 0, errLost
			}, func(error, time.Duration) bool { return false }, nil)
			cancel()
			if took := time.Since(began); err != errLost || took != 100*time.Millisecond {
				t.Errorf("%v after %v", err, took)
			}
		}
	})
}

// A machine that has woken up need not wait for the rest of a pause from before.
func TestAPauseEndsEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now, attempts := make(chan struct{}, 1), 0
		began := time.Now()
		err := Run(t.Context(), func(context.Context) (time.Duration, error) {
			if attempts++; attempts == 1 {
				time.AfterFunc(100*time.Millisecond, func() { now <- struct{}{} })
			}
			return 0, errLost
		}, func(error, time.Duration) bool { return attempts == 2 }, now)
		if took := time.Since(began); err != errLost || took != 100*time.Millisecond {
			t.Errorf("%v after %v", err, took)
		}
	})
}
