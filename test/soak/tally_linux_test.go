package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"
)

// What a fault forgives, and what nothing does.
func TestWhatIsALoss(t *testing.T) {
	plain := &failure{error: errors.New("connection reset by peer"), heard: true}
	unheard := &failure{error: errors.New("no such file")}
	told := &failure{error: errors.New("503"), told: true, heard: true}
	wrong := lost("other bytes")
	late := &failure{error: fmt.Errorf("hear: %w", os.ErrDeadlineExceeded)}
	for _, c := range []struct {
		name    string
		excuses excuse
		err     error
		loss    bool
	}{
		{"carrier gone, broken", anything, plain, false},
		{"carrier gone, wrong", anything, wrong, true},
		{"carrier gone, hangs", anything, late, true},
		{"frozen, told", whoWasTold, told, false},
		{"frozen, broken", whoWasTold, plain, true},
		{"frozen, not connected", whoWasTold, unheard, true},
		{"socket gone, not connected", whoHeardNothing, unheard, false},
		{"socket gone, broken", whoHeardNothing, plain, true},
		{"socket gone, told", whoHeardNothing, told, true},
		{"socket gone, wrong", whoHeardNothing, &failure{error: wrong}, true},
		{"fine", anything, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tally := newTally(io.Discard)
			began := time.Now()
			ends := tally.begins(fault{name: "it", excuses: c.excuses}, []*ward{{name: "here"}})
			ends()
			tally.judge("here", "ping", began, 1, c.err)
			if tally.clean() == c.loss {
				t.Errorf("losses: %q", tally.losses)
			}
			if c.err == nil {
				return
			}
			tally = newTally(io.Discard)
			began = time.Now()
			tally.begins(fault{name: "it"}, []*ward{{name: "elsewhere"}})
			tally.judge("here", "ping", began, 1, c.err)
			if tally.clean() {
				t.Error("a fault elsewhere is an excuse")
			}
		})
	}
}

// A fault that was over before an operation began is no excuse for it.
func TestAFaultThatIsOverIsNoExcuse(t *testing.T) {
	tally := newTally(io.Discard)
	tally.begins(fault{name: "it"}, []*ward{{name: "here"}})()
	tally.judge("here", "ping", time.Now(), 0, &failure{error: errors.New("broken")})
	if tally.clean() {
		t.Error("it was excused")
	}
}

// What the engine has must be what clients were told.
func TestLedgerSeesWhatWasDoneTwiceOrAgainstItsWord(t *testing.T) {
	l := &ledger{}
	l.expect("once", 1, 1)
	l.expect("twice", 0, 1)
	l.expect("refused", 0, 0)
	l.expect("missing", 1, 1)
	l.expect("unknown", 0, 1)
	wrong := l.audit(map[string]int{"once": 1, "twice": 2, "refused": 1})
	if len(wrong) != 3 {
		t.Errorf("%v", wrong)
	}
	if wrong := l.audit(nil); len(wrong) > 0 {
		t.Errorf("an audit that was made comes again: %v", wrong)
	}
}

func TestTheSeedGivesTheOrder(t *testing.T) {
	const steps = 60
	draw := func(seed uint64) (list []step) {
		o := newOrder(seed, 2)
		for range steps {
			list = append(list, o.next())
		}
		return list
	}
	first, again, other := draw(1), draw(1), draw(2)
	if !slices.Equal(first, again) {
		t.Errorf("the same seed gives %v and %v", first, again)
	}
	if slices.Equal(first, other) {
		t.Errorf("two seeds give %v", first)
	}
	seen := map[string]int{}
	for _, s := range draw(3) {
		seen[s.fault]++
	}
	for _, f := range faults {
		if seen[f.name] == 0 {
			t.Errorf("%s never comes", f.name)
		}
	}
}

// A process that has grown beyond the limit, or has many more descriptors, leaks.
func TestGrowthIsALeak(t *testing.T) {
	tally := newTally(io.Discard)
	tally.usage[0] = map[string]usage{"calm": {1000, 10}, "fat": {1000, 10}, "open": {1000, 10}}
	tally.usage[1] = map[string]usage{"calm": {2000, 20}, "fat": {200_000, 10}, "open": {1000, 100}}
	tally.compare()
	if len(tally.leaks) != 2 {
		t.Errorf("%q", tally.leaks)
	}
}
