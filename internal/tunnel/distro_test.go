package tunnel

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// awaited runs awaitDistro and tells when it returned, since it was called.
func (b *bubble) awaited(during func()) (after time.Duration, err error) {
	began := time.Now()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = b.awaitDistro(b.t.Context())
		after = time.Since(began)
	}()
	during()
	<-ended
	return after, err
}

// A distro that somebody has stopped is looked for, and never started.
func TestAStoppedDistroIsWaitedFor(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.runs = false
		after, err := b.awaited(func() {
			time.Sleep(24 * time.Hour)
			b.set(func() { b.runs = true })
		})
		if late := after - 24*time.Hour; err != nil || late < 0 || late > lookEvery {
			t.Errorf("returned after %v, %v", after, err)
		}
		b.wantEvents("0s distro-stopped")
		if n := b.count("list"); n != len(b.asked) {
			t.Errorf("wsl.exe was asked for more than its list: %d of %d", n, len(b.asked))
		}
	})
}

// One that was unregistered is another matter, and told as one; it may come back, stopped or not.
func TestADistroThatIsGoneIsToldFromAStoppedOne(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.runs, b.gone = false, true
		after, err := b.awaited(func() {
			time.Sleep(time.Hour)
			b.set(func() { b.gone = false })
			time.Sleep(time.Hour)
			b.set(func() { b.runs = true })
		})
		if late := after - 2*time.Hour; err != nil || late < 0 || late > lookEvery {
			t.Errorf("returned after %v, %v", after, err)
		}
		b.wantEvents("0s distro-gone", "1h0m48s distro-stopped")
		if n := b.count("list"); n != len(b.asked) {
			t.Errorf("wsl.exe was asked for more than its lists: %d of %d", n, len(b.asked))
		}
	})
}

// A start that fails since there is no such distro is told as that.
func TestAFailedStartTellsWhetherTheDistroIsThere(t *testing.T) {
	for want, err := range map[State]error{Gone: fmt.Errorf("use distro D: %w", wsl.ErrDistroNotFound), Lost: ErrWedged} {
		if e := FailureEvent("D", err, time.Second); e.State != want || e.Err != err || e.Pause != time.Second || e.Distro != "D" {
			t.Errorf("%v is told as %+v", err, e)
		}
	}
}

// A machine that has woken up does not wait for the next look.
func TestAnAwakeningIsAReasonToLookForADistro(t *testing.T) {
	inBubble(t, func(b *bubble) {
		wake := make(chan struct{}, 1)
		b.runs, b.Wake = false, wake
		after, err := b.awaited(func() {
			time.Sleep(time.Second)
			b.set(func() { b.runs = true })
			wake <- struct{}{}
		})
		if err != nil || after != time.Second {
			t.Errorf("returned after %v, %v", after, err)
		}
	})
}

// One that runs is served at once, without a word.
func TestARunningDistroIsNotWaitedFor(t *testing.T) {
	inBubble(t, func(b *bubble) {
		if after, err := b.awaited(func() {}); after != 0 || err != nil {
			t.Errorf("returned after %v, %v", after, err)
		}
		b.wantEvents()
	})
}

// A distro that was left runs on for a while by itself. That is no use of it; and if it
// runs on after that, or runs again, it is.
func TestADistroThatWasLeftIsLeftInPeace(t *testing.T) {
	for name, tc := range map[string]struct {
		stops, runs time.Duration // after it was left
		from, to    time.Duration // when it is served again
	}{
		"stops and is run": {15 * time.Second, time.Hour, time.Hour, time.Hour + lookEvery},
		"is run at once":   {15 * time.Second, 30 * time.Second, 30 * time.Second, 30*time.Second + lookEvery},
		"never stops":      {time.Hour, 2 * time.Hour, idleStop, idleStop + lookEvery},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.left = time.Now()
				after, err := b.awaited(func() {
					time.Sleep(tc.stops)
					b.set(func() { b.runs = false })
					time.Sleep(tc.runs - tc.stops)
					b.set(func() { b.runs = true })
				})
				if err != nil || after < tc.from || after > tc.to {
					t.Errorf("returned after %v, %v", after, err)
				}
				b.wantEvents()
			})
		})
	}
}

// Each return that nobody wanted makes the next one wait twice as long, up to an hour.
func TestAReturnForNobodyDoublesTheWait(t *testing.T) {
	inBubble(t, func(b *bubble) {
		for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 64} {
			b.left = time.Now()
			after, err := b.awaited(func() {})
			if want *= time.Minute; err != nil || after < want || after > want+lookEvery {
				t.Errorf("returned after %v, want %v; %v", after, want, err)
			}
		}
	})
}

// usersWatched runs watchUsers for so long and tells when it said that nobody else is there.
func (b *bubble) usersWatched(long time.Duration) (after time.Duration, unused bool) {
	ctx, cancel := context.WithTimeout(b.t.Context(), long)
	defer cancel()
	began := time.Now()
	unused = b.watchUsers(ctx, b.host)
	return time.Since(began), unused
}

func TestAnUnusedDistroIsLeft(t *testing.T) {
	inBubble(t, func(b *bubble) {
		if after, unused := b.usersWatched(time.Hour); !unused || after != idleLooks*usersEvery {
			t.Errorf("unused: %t, after %v", unused, after)
		}
	})
}

func TestADistroInUseIsNotLeft(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.others, b.patient = 1, 5
		if after, unused := b.usersWatched(time.Hour); unused {
			t.Errorf("it was left after %v", after)
		}
		if b.patient != 0 {
			t.Error("that somebody was there is not noted")
		}
	})
}

// Who can't be asked may be in use: a carrier that stands still is no reason to leave.
func TestAFrozenDistroIsNotLeft(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.carrier.freeze()
		if after, unused := b.usersWatched(time.Hour); unused {
			t.Errorf("it was left after %v", after)
		}
		b.carrier.thaw()
	})
}

// Events are told in turn, although whoever is told may take his time.
func TestEventsAreToldInTurn(t *testing.T) {
	inBubble(t, func(b *bubble) {
		telling, at := false, []State{}
		b.Report = func(e Event) {
			b.set(func() {
				if telling {
					t.Errorf("%s is told while another event is", e.State)
				}
				telling = true
				at = append(at, e.State)
			})
			time.Sleep(time.Minute)
			b.set(func() { telling = false })
		}
		b.others, b.probe = 1, asleep
		ended := make(chan error, 1)
		go func() {
			why, failed := b.serveUntilEnd(b.t.Context(), &serving{d: b.Tunnel, host: b.host})
			ended <- errors.Join(why, failed)
		}()
		time.Sleep(pingEvery - time.Second)
		b.carrier.freeze()
		time.Sleep(2 * pingTime)
		b.carrier.thaw()
		b.set(func() { b.others = 0 })
		if err := <-ended; !errors.Is(err, errUnused) {
			t.Errorf("ended with %v", err)
		}
		synctest.Wait()
		if len(at) < 2 || at[0] != Frozen || at[len(at)-1] != Unused {
			t.Errorf("told %q", at)
		}
	})
}
