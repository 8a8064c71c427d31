package tunnel

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A carrier that moves costs a question each half minute and nothing else.
func TestAHealthyCarrierIsLeftAlone(t *testing.T) {
	inBubble(t, func(b *bubble) {
		if err := b.watched(func() { time.Sleep(24 * time.Hour) }); err != nil {
			t.Error(err)
		}
		b.wantEvents()
		if len(b.asked) > 0 {
			t.Errorf("wsl.exe was asked %q", b.asked)
		}
	})
}

// A machine that has just woken up is no reason to wait for half a minute.
func TestAnAwakeningIsAReasonToAsk(t *testing.T) {
	inBubble(t, func(b *bubble) {
		wake := make(chan struct{}, 1)
		b.Wake = wake
		b.probe = asleep
		b.carrier.freeze()
		err := b.watched(func() {
			time.Sleep(time.Second)
			wake <- struct{}{}
			time.Sleep(10 * time.Second)
			b.carrier.thaw()
			time.Sleep(time.Minute)
		})
		if err != nil {
			t.Error(err)
		}
		b.wantEvents("1s woken", "6s frozen", "11s thawed")
	})
}

// Where nobody tells, the clock on the wall does: it says of a short wait that it has taken hours.
func TestAClockThatHasJumpedIsAnAwakening(t *testing.T) {
	for name, tc := range map[string]struct {
		jump time.Duration
		want []string
	}{
		"a sleep":                  {time.Hour, []string{"30s woken", "35s frozen"}},
		"a clock that is set":      {10 * time.Second, []string{"35s frozen"}},
		"a clock that is set back": {-time.Hour, []string{"35s frozen"}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				var jumped time.Duration
				b.clock = func() (now time.Time) {
					b.set(func() { now = time.Now().Add(jumped) })
					return now
				}
				b.probe = asleep
				b.carrier.freeze()
				err := b.watched(func() {
					time.Sleep(time.Second)
					b.set(func() { jumped = tc.jump })
					time.Sleep(time.Minute)
				})
				if err != nil {
					t.Error(err)
				}
				b.wantEvents(tc.want...)
			})
		})
	}
}

// As long as no other wsl.exe gets through, the machine sleeps.
func TestAFrozenCarrierIsWaitedFor(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.probe = asleep
		b.carrier.freeze()
		err := b.watched(func() {
			time.Sleep(10 * time.Hour)
			b.carrier.thaw()
			time.Sleep(time.Hour)
		})
		if err != nil {
			t.Error(err)
		}
		b.wantEvents("35s frozen", "10h0m0s thawed")
		if n := b.count("hash"); n < 100 || n > 1000 {
			t.Errorf("%d probes in 10 h", n)
		}
	})
}

// The list is no sign of life: the service that gives it does not sleep with the distro.
func TestAWedgedCarrierIsGivenUp(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.probe = asleep
		b.carrier.freeze()
		err := b.watched(func() {
			time.Sleep(10 * time.Minute)
			b.set(func() { b.probe = func(context.Context) error { return nil } })
			time.Sleep(2 * probeEvery)
		})
		if !errors.Is(err, ErrWedged) {
			t.Errorf("ended with %v", err)
		}
		b.wantEvents("35s frozen")
	})
}

// A machine that wakes up wakes both: the old one may be the slower.
func TestAProbeThatIsQuickerProvesNothing(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.carrier.freeze() // at 35 s the probe is through at once
		err := b.watched(func() {
			time.Sleep(pingEvery + 2*pingTime - time.Second)
			b.carrier.thaw()
			time.Sleep(time.Hour)
		})
		if err != nil {
			t.Error(err)
		}
		b.wantEvents("35s frozen", "39s thawed")
	})
}

// A probe that fails, for whatever reason, proves nothing either.
func TestAFailedProbeProvesNothing(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.probe = func(context.Context) error { return errors.New("exit code 1") }
		b.carrier.freeze()
		if err := b.watched(func() { time.Sleep(10 * time.Hour) }); err != nil {
			t.Error(err)
		}
		b.wantEvents("35s frozen")
	})
}

// A distro that was stopped under a wsl.exe that has not noticed is not started again in
// order to ask after it; its carrier is no use any more.
func TestAStoppedDistroIsNotStartedByAProbe(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.runs = false
		b.carrier.freeze()
		err := b.watched(func() { time.Sleep(time.Minute) })
		if !errors.Is(err, ErrWedged) {
			t.Errorf("ended with %v", err)
		}
		if b.runs || b.count("hash") > 0 {
			t.Errorf("it was started: wsl.exe was asked %q", b.asked)
		}
	})
}
