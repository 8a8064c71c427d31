package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// A fault is something that happens to a ward. do returns when its cause is
// over; how long what lasts takes is the last argument.
type fault struct {
	name    string
	hard    bool // it ends the carrier
	wide    bool // it happens to all wards
	excuses excuse
	do      func(*place, context.Context, *ward, time.Duration) error
	cure    func(context.Context, *ward) error // of what lasts; the traffic has to live with it
}

var faults = []fault{
	{name: "agent-killed", hard: true, do: func(_ *place, ctx context.Context, w *ward, _ time.Duration) error {
		return w.restarts(ctx, kill(w.agent))
	}},
	{name: "wsl-killed", hard: true, do: func(_ *place, ctx context.Context, w *ward, _ time.Duration) error {
		return w.restarts(ctx, kill(w.wslExe))
	}},
	{name: "terminated", hard: true, do: func(_ *place, ctx context.Context, w *ward, _ time.Duration) error {
		return w.stops(ctx, func() error { return w.s.VM.Terminate(w.name) })
	}},
	{name: "shut-down", hard: true, do: func(_ *place, ctx context.Context, w *ward, _ time.Duration) error {
		return w.stops(ctx, w.s.VM.Shutdown)
	}},
	{name: "slow-start", hard: true, do: func(_ *place, ctx context.Context, w *ward, long time.Duration) error {
		return w.restartsWith(ctx, wsl.Faults{Slow: long})
	}},
	{name: "stderr-flood", hard: true, do: func(_ *place, ctx context.Context, w *ward, _ time.Duration) error {
		return w.restartsWith(ctx, wsl.Faults{Flood: 64 << 20})
	}},
	{name: "one-byte-chunks", hard: true, do: func(_ *place, ctx context.Context, w *ward, _ time.Duration) error {
		return w.restartsWith(ctx, wsl.Faults{Chunk: 1})
	}, cure: func(ctx context.Context, w *ward) error {
		return w.restarts(ctx, kill(w.wslExe)) // at some 10 KB/s the next rest would be long
	}},
	{name: "frozen", excuses: whoWasTold, do: func(_ *place, ctx context.Context, w *ward, long time.Duration) error {
		return w.standsStill(ctx, wsl.Launches, long)
	}},
	{name: "standby", excuses: whoWasTold, do: func(_ *place, ctx context.Context, w *ward, long time.Duration) error {
		return w.standsStill(ctx, wsl.Everything, long)
	}},
	{name: "socket-deleted", excuses: whoHeardNothing, do: func(_ *place, ctx context.Context, w *ward, _ time.Duration) error {
		said, err := w.s.VM.Command(ctx, w.name, "root", "rm", w.socket).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		return nil
	}},
	{name: "engine-killed", wide: true, do: (*place).engineDies},
}

// stops stops the distro; when the bridge has seen it, somebody runs it again.
func (w *ward) stops(ctx context.Context, stop func() error) error {
	return w.restarts(ctx, func() error {
		before := w.happened("distro-stopped")
		if err := stop(); err != nil {
			return err
		}
		if err := w.awaits(ctx, "distro-stopped", before+1); err != nil {
			return err
		}
		// He stays until the distro has another client.
		before = w.happened("ready")
		somebody := w.s.WSL(ctx, "-d", w.name, "-e", "sleep", "600")
		if err := somebody.Start(); err != nil {
			return err
		}
		err := w.awaits(ctx, "ready", before+1)
		_ = somebody.Process.Kill()
		_ = somebody.Wait() // it was killed
		return err
	})
}

// restartsWith has the next carrier be as f says, to its end, and no other launch.
func (w *ward) restartsWith(ctx context.Context, f wsl.Faults) error {
	f.Program = "/agent-"
	if err := w.s.VM.SetFaults(f); err != nil {
		return err
	}
	err := w.restarts(ctx, kill(w.wslExe))
	return errors.Join(err, w.s.VM.SetFaults(wsl.Faults{}))
}

// standsStill freezes the carrier for a while.
func (w *ward) standsStill(ctx context.Context, scope wsl.Scope, long time.Duration) error {
	thaw, err := w.s.VM.Freeze(scope)
	if err != nil {
		return err
	}
	return errors.Join(pause(ctx, long), thaw())
}

// engineDies kills the engine, and brings it back.
func (p *place) engineDies(ctx context.Context, _ *ward, long time.Duration) error {
	if err := p.s.Engine.Kill(); err != nil {
		return err
	}
	if err := pause(ctx, long/2); err != nil {
		return err
	}
	// Under Wine who connects in the very moment in which a pipe comes up may get
	// onto go-winio's parked instance, which nobody serves (takeParked in test/front).
	return p.traffic.settle(ctx, func(ctx context.Context) error {
		if err := p.s.Engine.Start(ctx); err != nil {
			return err
		}
		return p.furnish(ctx)
	})
}

// strike has a fault happen, and returns when all is served as before.
func (p *place) strike(ctx context.Context, s step) error {
	f := faultNamed(s.fault)
	wards := p.wards[s.ward : s.ward+1]
	if f.wide {
		wards = p.wards
	}
	victim := p.wards[s.ward]
	ends := p.tally.begins(f, wards)
	began := time.Now()
	if err := f.do(p, ctx, victim, s.long); err != nil {
		return err
	}
	if f.cure != nil {
		// It is served, if slowly: who begins now fails only if told that the carrier stands still, until the cure. At some
		// 10 KB/s a full pipe is ahead of the agent's question for longer than an answer is waited for.
		ends()
		ends = p.tally.begins(fault{name: f.name, excuses: whoWasTold}, wards)
		if err := pause(ctx, s.long); err != nil {
			return err
		}
		ends()
		ends = p.tally.begins(f, wards)
		began = time.Now()
		if err := f.cure(ctx, victim); err != nil {
			return err
		}
	}
	for _, w := range wards {
		if err := w.serves(ctx); err != nil {
			return err
		}
	}
	p.tally.struck(f.name, time.Since(began))
	ends()
	return nil
}

func faultNamed(name string) fault {
	for _, f := range faults {
		if f.name == name {
			return f
		}
	}
	panic("no fault " + name)
}
