package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// A place is where all happens: an engine, and wards whose bridges lead to it.
type place struct {
	s       *stage.Stage
	wards   []*ward
	tally   *tally
	ledger  *ledger
	known   []byte   // what the engine says of the image
	traffic *traffic // from its start on
	before  scene    // when nothing had happened
	told    scene    // what was a leak already
}

func openPlace(ctx context.Context, s *stage.Stage, dir string) (_ *place, err error) {
	p := &place{s: s, tally: newTally(os.Stderr), ledger: &ledger{}, told: scene{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if err := p.furnish(ctx); err != nil {
		return nil, err
	}
	image := "/images/" + s.Docker.Image + "/json"
	status, said, err := p.direct().once(http.MethodGet, image, nil)
	if err != nil || status != http.StatusOK {
		return nil, errors.Join(err, fmt.Errorf("%s: status %d", image, status))
	}
	p.known = said
	for _, name := range []string{"soak-a", "soak-b"} {
		w, err := openWard(ctx, s, dir, name)
		if err != nil {
			return nil, err
		}
		p.wards = append(p.wards, w)
	}
	return p, nil
}

func (p *place) close() (err error) {
	for _, w := range p.wards {
		err = errors.Join(err, w.close())
	}
	return err
}

// furnish starts the containers that operations need, anew: the counter's log
// must have no gap.
func (p *place) furnish(ctx context.Context) error {
	const count = "n=0; while :; do n=$((n+1)); echo $n; usleep 20000; done"
	_, _ = p.s.Docker.Command(ctx, "rm", "-f", home, counter).Output() // they may not be there
	for name, script := range map[string]string{home: "sleep 100000", counter: count} {
		said, err := p.s.Docker.Command(ctx, "run", "-d", "--network", "none", "--name", name, p.s.Docker.Image, "sh", "-c", script).CombinedOutput()
		if err != nil {
			return fmt.Errorf("start %s: %w: %s", name, err, said)
		}
	}
	return nil
}

// direct is a client without a bridge, for a minute.
func (p *place) direct() *client {
	return &client{
		dial:     func() (net.Conn, error) { return net.Dial("unix", p.s.Docker.Socket) },
		deadline: time.Now().Add(time.Minute),
	}
}

// remember notes how all is before the traffic, and when the engine has let go
// of who has asked what it is.
func (p *place) remember(ctx context.Context) error {
	return until(ctx, settleTime, "an engine without connections", func() error {
		p.before = p.look()
		if n := p.before[atEngine]; n != "0" {
			return fmt.Errorf("it has %s", n)
		}
		return nil
	})
}

// lookBehind wants what the engine has to be what clients were told, and all to
// be as it was. It is called when no operation is under way.
func (p *place) lookBehind(ctx context.Context) error {
	if err := p.audit(ctx); err != nil {
		return err
	}
	p.awaitScene(ctx, p.before)
	p.measure()
	return nil
}

// audit compares the engine's containers with the ledger, and clears up.
func (p *place) audit(ctx context.Context) error {
	list, err := p.direct().made()
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	has := map[string]int{}
	for _, made := range list {
		has[made.Labels[label]]++
		if err := p.discard(made); err != nil {
			return fmt.Errorf("clear up: %w", err)
		}
	}
	for _, wrong := range p.ledger.audit(has) {
		p.tally.loses("the engine", "create", wrong)
	}
	said, err := p.s.Docker.Command(ctx, "exec", home, "sh", "-c", "rm -f /tmp/op-*").CombinedOutput()
	if err != nil {
		return fmt.Errorf("clear up: %w: %s", err, said)
	}
	return nil
}

// discard removes a container. One that was never started is started first:
// dockerd 20.10 keeps the connection of who has attached to it and gone, for
// ever, also without a bridge.
func (p *place) discard(made made) error {
	if made.State == "created" {
		if _, _, err := p.direct().once(http.MethodPost, "/containers/"+made.ID+"/start", nil); err != nil {
			return err
		}
	}
	_, _, err := p.direct().once(http.MethodDelete, "/containers/"+made.ID+"?force=1", nil)
	return err // one that removes itself says so, which is none
}

// leave ends the bridges as a person does, and wants nothing to stay of them.
func (p *place) leave(ctx context.Context) error {
	after := scene{}
	for what, list := range p.before {
		after[what] = list
	}
	for _, w := range p.wards {
		agent, err := w.agentFile()
		if err != nil {
			return err
		}
		if err := w.b.Close(); err != nil {
			return fmt.Errorf("end the bridge of %s: %w", w.name, err)
		}
		w.gone(after, agent)
	}
	p.awaitScene(ctx, after)
	p.tally.compare()
	return nil
}
