package main

import (
	"context"
	"math/rand/v2"
	"os/exec"
	"sync"
	"time"
)

const (
	// workers are those of a ward, each with one operation at a time.
	workers = 6
	// restTime is what a worker rests after a failure: a socket that is not there
	// says so in microseconds.
	restTime = 100 * time.Millisecond
)

// traffic is operations, by several workers in each ward.
type traffic struct {
	place  *place
	cancel context.CancelFunc
	works  sync.WaitGroup
	gate   sync.RWMutex // held by each operation; closed by who looks behind
}

// startTraffic starts it; stop ends it.
func startTraffic(ctx context.Context, p *place, seed uint64) *traffic {
	ctx, cancel := context.WithCancel(ctx)
	t := &traffic{place: p, cancel: cancel}
	for i, w := range p.wards {
		for n := range workers {
			dice := rand.New(rand.NewPCG(seed, uint64(2+i*workers+n)))
			t.works.Go(func() { t.work(ctx, w, dice) })
		}
	}
	return t
}

// stop returns when the last operation has ended.
func (t *traffic) stop() {
	t.cancel()
	t.works.Wait()
}

// settle does something while no operation is under way.
func (t *traffic) settle(ctx context.Context, act func(context.Context) error) error {
	t.gate.Lock()
	defer t.gate.Unlock()
	return act(ctx)
}

func (t *traffic) work(ctx context.Context, w *ward, dice *rand.Rand) {
	c := &client{
		dial: w.dial,
		docker: func(ctx context.Context, args ...string) *exec.Cmd {
			cmd := w.s.Client(ctx, append([]string{"docker", "-H", w.b.Host}, args...)...)
			cmd.WaitDelay = restTime // for what holds its output after it was killed
			return cmd
		},
		image: t.place.s.Docker.Image, known: t.place.known, ledger: t.place.ledger, dice: dice,
	}
	for ctx.Err() == nil {
		if !t.one(ctx, w, c) {
			_ = pause(ctx, restTime)
		}
	}
}

// one is one operation. It is seen to its end even when the traffic stops.
func (t *traffic) one(ctx context.Context, w *ward, c *client) bool {
	t.gate.RLock()
	defer t.gate.RUnlock()
	name, do := pick(c.dice)
	began := time.Now()
	c.deadline, c.bytes = began.Add(hang), 0
	err := do(c, context.WithoutCancel(ctx))
	t.place.tally.judge(w.name, name, began, c.bytes, err)
	return err == nil
}

// pick rolls the dice for an operation.
func pick(dice *rand.Rand) (name string, do func(*client, context.Context) error) {
	all := 0
	for _, o := range operations {
		all += o.share
	}
	n := dice.IntN(all)
	for _, o := range operations {
		if n -= o.share; n < 0 {
			return o.name, o.do
		}
	}
	panic("no operation")
}
