package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// hang is how long an operation may take, faults included: a minute is more than
// all bounds that it can meet together. Those have tests of their own.
const hang = time.Minute

// excuse is what a fault forgives operations that meet it.
type excuse int

const (
	// anything: the carrier or the engine is gone.
	anything excuse = iota
	// whoWasTold: the carrier stands still. Clients under way lose nothing, new
	// ones are answered with 503.
	whoWasTold
	// whoHeardNothing: the socket is gone. Connections that were taken from it
	// live on.
	whoHeardNothing
)

// failure is an operation's plain error.
type failure struct {
	error
	told  bool // its client was answered with 503
	heard bool // or had got a part of an answer on that connection
}

func (f *failure) Unwrap() error { return f.error }

// loss is an error that no fault excuses.
type loss struct{ error }

func lost(format string, args ...any) error { return loss{fmt.Errorf(format, args...)} }

// trouble is a fault's time, from before it begins until all is served again.
type trouble struct {
	ward    string
	excuses excuse
	began   time.Time
	ended   time.Time // zero while it lasts
}

func (t *trouble) meets(ward string, began, ended time.Time) bool {
	return t.ward == ward && t.began.Before(ended) && (t.ended.IsZero() || t.ended.After(began))
}

func (t *trouble) forgives(err error) bool {
	var f *failure
	switch {
	case t.excuses == anything:
		return true
	case !errors.As(err, &f):
		return false
	case t.excuses == whoWasTold:
		return f.told
	}
	return !f.heard
}

// tally counts.
type tally struct {
	loud io.Writer

	mu         sync.Mutex
	operations map[string]int
	bytes      int64
	longest    map[string]time.Duration // of an operation
	failed     int                      // operations, and a fault was the reason
	faults     map[string]int
	back       map[string]time.Duration // the longest time from a fault to being served again
	troubles   []*trouble
	now        string // the fault under way
	losses     []string
	leaks      []string
	usage      [2]map[string]usage // after the warm-up and at the end, by process
}

// newTally counts from zero; losses and leaks are told on loud at once, too.
func newTally(loud io.Writer) *tally {
	return &tally{
		loud:       loud,
		operations: map[string]int{}, longest: map[string]time.Duration{},
		faults: map[string]int{}, back: map[string]time.Duration{},
	}
}

// judge takes an operation's outcome.
func (t *tally) judge(ward, name string, began time.Time, bytes int64, err error) {
	ended := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes += bytes
	t.longest[name] = max(t.longest[name], ended.Sub(began))
	var wrong loss
	switch {
	case err == nil:
		t.operations[name]++
	case errors.As(err, &wrong):
		t.lose(ward, name, "%v", err)
	case isLate(err) || ended.Sub(began) > hang:
		t.lose(ward, name, "hangs: %v", err)
	case t.excused(ward, began, ended, err):
		t.failed++
	default:
		t.lose(ward, name, "failed without a reason: %v", err)
	}
}

func isLate(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

func (t *tally) excused(ward string, began, ended time.Time, err error) bool {
	for _, trouble := range t.troubles {
		if trouble.meets(ward, began, ended) && trouble.forgives(err) {
			return true
		}
	}
	return false
}

func (t *tally) lose(ward, name, format string, args ...any) {
	text := fmt.Sprintf("%s in %s (%s): %s", name, ward, t.weather(), fmt.Sprintf(format, args...))
	t.losses = append(t.losses, text)
	fmt.Fprintln(t.loud, "LOSS:", text)
}

func (t *tally) weather() string {
	if t.now == "" {
		return "no fault under way"
	}
	return "under " + t.now
}

// lose notes a loss of something else than an operation.
func (t *tally) loses(ward, name string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lose(ward, name, "%v", err)
}

// leak notes what is there and should not be.
func (t *tally) leak(where, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := where + ": " + what
	t.leaks = append(t.leaks, text)
	fmt.Fprintln(t.loud, "LEAK:", text)
}

// begins notes that a fault comes; the result is to be called when all is
// served again.
func (t *tally) begins(f fault, wards []*ward) (ends func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	began := time.Now()
	t.now = f.name
	var list []*trouble
	for _, w := range wards {
		list = append(list, &trouble{ward: w.name, excuses: f.excuses, began: began})
	}
	t.troubles = append(t.troubles, list...)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.now = ""
		for _, trouble := range list {
			trouble.ended = time.Now()
		}
	}
}

// struck counts a fault that is over, and notes how long it took until all was
// served again.
func (t *tally) struck(fault string, after time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults[fault]++
	t.back[fault] = max(t.back[fault], after)
}

func (t *tally) clean() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.losses) == 0 && len(t.leaks) == 0
}
