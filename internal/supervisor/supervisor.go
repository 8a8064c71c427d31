// Package supervisor keeps something going: it tries, waits, and tries again.
//
// It knows attempts and the pauses between them. It does not know what is
// attempted, and asks its owner after each end whether to go on.
//
// Law: pauses double with each failure in a row and start over after a minute
// that went well; nothing of an attempt outlives it.
package supervisor

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// firstPause follows the first failure.
	firstPause = 500 * time.Millisecond
	// longestPause is for what fails again and again: 30 s are soon enough for
	// whoever has just cured it, and cost nothing.
	longestPause = 30 * time.Second
	// healthy is how long something goes well that counts as a success.
	healthy = time.Minute
	// jitter keeps several of us from trying in step, after a boot or a resume.
	jitter = 0.25
)

// Run makes attempts until ctx ends, or ended says after one of them that it
// was the last; it gives that one's error. An attempt tells how long it went
// well, which is not how long it took: a start may hang. ended is told the pause
// that follows if it says otherwise. now ends a pause early, when something has changed; it may be nil.
func Run(ctx context.Context, attempt func(context.Context) (well time.Duration, err error), ended func(err error, pause time.Duration) (last bool), now <-chan struct{}) error {
	failures := 0
	for {
		well, err := attempt(ctx)
		if well >= healthy {
			failures = 0
		}
		pause := pauseAfter(failures, rand.Float64())
		failures++
		if ctx.Err() != nil || ended(err, pause) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-now:
		case <-ctx.Done():
			return err
		}
	}
}

// pauseAfter follows so many failures before this one. chance is from 0 to 1.
func pauseAfter(failures int, chance float64) time.Duration {
	pause := longestPause
	if failures < 6 { // 2^6 half seconds are more
		pause = firstPause << failures
	}
	return time.Duration(float64(pause) * (1 - jitter + 2*jitter*chance))
}
