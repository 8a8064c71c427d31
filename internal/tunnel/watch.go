package tunnel

import (
	"context"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
)

const (
	// pingEvery is how often a carrier is asked whether it moves, which is two
	// wake-ups each time.
	pingEvery = 30 * time.Second
	// pingTime is what an answer may take. A round trip takes milliseconds; a
	// busy machine stretches that to a second.
	pingTime = 5 * time.Second
	// probeTime is what a fresh wsl.exe gets to show that WSL works: it itself
	// waits for 30 s at most.
	probeTime = 30 * time.Second
	// probeEvery is the pause between two of them. Each costs a process.
	probeEvery = 30 * time.Second
	// clockSlack is what is no sleep: a busy machine, a clock that is set.
	clockSlack = 15 * time.Second
)

// watchCarrier returns ErrWedged when the carrier is to be given up, and nil when the
// session or ctx has ended. A carrier that stands still is reported and left
// alone, for as long as nothing else gets through either: then the machine
// sleeps, and its connections wake up with it.
func (d *Tunnel) watchCarrier(ctx context.Context, host *bridge.Host) error {
	for {
		if !d.pauseUntilPing(ctx, host) {
			return nil
		}
		answered := d.pingAgent(ctx, host)
		if arrivesWithin(answered, pingTime) {
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		d.reportEvent(Event{State: Frozen})
		if !d.awaitThawOrProbe(ctx, host, answered) {
			return ErrWedged
		}
		if ctx.Err() != nil {
			return nil
		}
		d.reportEvent(Event{State: Thawed})
	}
}

// pauseUntilPing waits until the carrier is to be asked, which is at once when the machine is told to have
// woken up, and tells whether there is still something to watch. Where nobody tells, the clock on the wall
// does at the end of the wait: on Windows the monotonic one goes on in the sleep.
func (d *Tunnel) pauseUntilPing(ctx context.Context, host *bridge.Host) bool {
	now := time.Now
	if d.clock != nil {
		now = d.clock
	}
	began := now().Round(0)
	told, on := d.pauseUntilWoken(ctx, host, pingEvery, d.Wake)
	if on && (told || now().Round(0).Sub(began) > pingEvery+clockSlack) {
		d.reportEvent(Event{State: Woken})
	}
	return on
}

// pauseUntilWoken waits, but not beyond a machine's awakening if it is told of one, and tells whether there is
// still something to watch.
func (d *Tunnel) pauseUntilWoken(ctx context.Context, host *bridge.Host, long time.Duration, wake <-chan struct{}) (woken, on bool) {
	select {
	case <-time.After(long):
		return false, true
	case <-wake:
		return true, true
	case <-host.Done():
		return false, false
	case <-ctx.Done():
		return false, false
	}
}

// pingAgent puts one question to the agent. The channel is closed with its answer, or
// when nobody needs one any more.
func (d *Tunnel) pingAgent(ctx context.Context, host *bridge.Host) <-chan struct{} {
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = host.Ping(ctx) // whoever listens looks at ctx and the session
	}()
	return answered
}

// arrivesWithin waits for the answer. The time is counted in steps, and a step that took much
// longer not at all: a machine that wakes up finds all its timers over at once, before it
// can have heard anything.
func arrivesWithin(answered <-chan struct{}, within time.Duration) bool {
	const steps = 5
	for left := steps; left > 0; {
		began := time.Now()
		select {
		case <-answered:
			return true
		case <-time.After(within / steps):
			if time.Since(began) < 2*within/steps {
				left--
			}
		}
	}
	select { // both may have come at once
	case <-answered:
		return true
	default:
		return false
	}
}

// awaitThawOrProbe returns true when the answer has come, and false when a fresh
// wsl.exe got through and the old one still does not.
func (d *Tunnel) awaitThawOrProbe(ctx context.Context, host *bridge.Host, answered <-chan struct{}) bool {
	for {
		through := d.probeFreshCarrier(ctx, answered)
		// A machine that has just woken up wakes both: the old one comes first.
		if arrivesWithin(answered, pingTime) {
			return true
		}
		if through {
			return false
		}
		if arrivesWithin(answered, probeEvery) {
			return true
		}
	}
}

// probeFreshCarrier tells whether a fresh wsl.exe gets through. It stops when the old one
// answers.
func (d *Tunnel) probeFreshCarrier(ctx context.Context, answered <-chan struct{}) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	probed := make(chan error, 1)
	go func() { probed <- d.getThrough(ctx) }()
	select {
	case err := <-probed:
		return err == nil
	case <-answered:
		cancel()
		<-probed
		return false
	}
}

// getThrough has a fresh wsl.exe start a program in the distro, which ends. A distro
// that does not run has stopped under its wsl.exe, and must not be started again: that
// another one says so is through enough.
func (d *Tunnel) getThrough(ctx context.Context) error {
	runs, err := d.WSL.IsDistroRunning(ctx, d.Distro)
	if err != nil || !runs {
		return err
	}
	return d.runAgent(ctx, probeArgs())
}
