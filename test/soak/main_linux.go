// Command soak runs mixed traffic through whole bridges while faults are thrown
// in at random, and ends in a count: operations, bytes, faults, losses, leaks.
//
// Every operation checks itself. An operation that fails under a fault is the
// fault's affair; one that fails in calm weather, that hangs, or that succeeds
// with something wrong is a loss. What is there after a fault and was not before
// it is a leak.
//
// Law: the seed alone decides which faults come, in which order, on whom and for
// how long; the traffic has its own dice.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

const (
	// setTime bounds the way to the first operation; the first run makes a Wine prefix.
	setTime = 5 * time.Minute
	// overTime is for the fault under way at the end, and for the end itself.
	overTime = 5 * time.Minute
	// progressEvery is the pause between two lines of progress.
	progressEvery = 5 * time.Second
)

// options are what a run is asked for.
type options struct {
	length time.Duration
	seed   uint64
	json   bool
}

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

func run(args []string, out io.Writer) int {
	o := options{seed: rand.Uint64N(1_000_000)}
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	minutes := flags.Float64("minutes", 10, "how long faults are thrown in")
	flags.Uint64Var(&o.seed, "seed", o.seed, "what decides the order of the faults (default: any)")
	flags.BoolVar(&o.json, "json", false, "the count once more, as the last line, for scripts")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || *minutes <= 0 {
		return 2
	}
	o.length = time.Duration(*minutes * float64(time.Minute))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, setTime+o.length+overTime)
	defer cancel()
	t, err := soak(ctx, o, out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak: error:", err)
	}
	if t == nil {
		return 1
	}
	if err := t.report(out, o); err != nil || !t.clean() {
		return 1
	}
	if err != nil {
		return 1
	}
	return 0
}

// soak gives the count, also beside an error if it came that far.
func soak(ctx context.Context, o options, out io.Writer) (t *tally, err error) {
	if err := lab.Missing(stage.Parts...); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "docker-wsl-bridge-soak-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := stage.Open(ctx, dir, out)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	fmt.Fprintln(out, "starting the bridges ...")
	p, err := openPlace(ctx, s, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	fmt.Fprintf(out, "\nsoaking for %v; the order of the faults is SEED=%d\n\n", o.length, o.seed)
	return p.tally, play(ctx, p, o, out)
}

// play is traffic and faults, and then the end of both.
func play(ctx context.Context, p *place, o options, out io.Writer) error {
	if err := p.remember(ctx); err != nil {
		return err
	}
	end := time.Now().Add(o.length)
	p.traffic = startTraffic(ctx, p, o.seed)
	quiet := progress(ctx, p.tally, end, out)
	err := storm(ctx, p, o.seed, end)
	quiet()
	p.traffic.stop()
	if err != nil {
		return err
	}
	fmt.Fprint(out, "\nending the bridges ...\n\n")
	return p.leave(ctx)
}

// storm throws faults in until the end; each is over, and looked behind, before
// the next one.
func storm(ctx context.Context, p *place, seed uint64, end time.Time) error {
	order := newOrder(seed, len(p.wards))
	for ctx.Err() == nil && time.Now().Before(end) {
		step := order.next()
		if err := pause(ctx, step.before); err != nil {
			return err
		}
		if err := p.strike(ctx, step); err != nil {
			return fmt.Errorf("%s in %s: %w", step.fault, p.wards[step.ward].name, err)
		}
		if err := pause(ctx, step.after); err != nil {
			return err
		}
		if err := p.traffic.settle(ctx, p.lookBehind); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// pause lets time pass, which is what is played here.
func pause(ctx context.Context, long time.Duration) error {
	select {
	case <-time.After(long):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// progress tells how it goes until quiet is called.
func progress(ctx context.Context, t *tally, end time.Time, out io.Writer) (quiet func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for pause(ctx, progressEvery) == nil {
			left := max(0, time.Until(end)).Round(time.Second)
			fmt.Fprintf(out, "%6v left: %s\n", left, t.line())
		}
	}()
	return func() { cancel(); <-done }
}
