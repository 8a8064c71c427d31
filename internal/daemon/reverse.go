package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervisor"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// reverseLink is a reverse link as its tunnel serves it.
func reverseLink(l *links.Link, door *bridge.ReverseListener) tunnel.Link {
	return tunnel.Link{Name: l.Name, Door: door, Lead: bridge.AgentRoute{Link: l.Name, Socket: l.Target}}
}

// holdReversePipe has a link served as soon as it has its pipe, until ctx ends.
func (c *distroServer) holdReversePipe(ctx context.Context, p *servedLink, in *instance) error {
	door := c.openDoor(ctx, p, in)
	if door == nil {
		return nil
	}
	c.serveOpenedPlace(p, in, reverseLink(&p.placed, door), nil, p.placed.LeadsTo)
	<-ctx.Done()
	err := door.Close()
	if p.replaced {
		door.CutAllConnections()
	}
	return err
}

// openDoor listens at a link's pipe, as often as it takes to get it. It is nil when ctx ends before.
func (c *distroServer) openDoor(ctx context.Context, p *servedLink, in *instance) *bridge.ReverseListener {
	var door *bridge.ReverseListener
	_ = supervisor.Run(ctx, func(context.Context) (well time.Duration, err error) {
		l, err := p.placed.Pipe.ListenFor(p.placed.Allowed)
		if err != nil {
			return 0, err
		}
		e := bridge.Entry{Link: p.placed.Name, Words: in.reverseWords, Log: in.log}
		if p.placed.Kind == config.Docker {
			e.Kind = bridge.KindDocker
		}
		door = bridge.OpenReverseListener(l, e)
		return 0, nil
	}, func(err error, pause time.Duration) (last bool) {
		if err != nil {
			e := tunnel.Event{State: tunnel.Failing, Distro: p.placed.Distro, Link: p.placed.Name, Err: err, Pause: pause}
			in.handleTunnelEvent(e)
			c.f.show.ShowEvent(Event{Event: e})
		}
		return err == nil
	}, nil)
	return door
}

// reverseWords are what a client of a reverse link is told: what is wrong, and what cures it, both on
// Windows, where it is.
func (in *instance) reverseWords(why string) string {
	in.mu.Lock()
	state, reason := tunnel.State(in.status.State), in.status.Reason
	in.mu.Unlock()
	return advice.ReverseWords(why, in.link.Distro, in.link.Target, state, reason)
}

// statusDial is how a status asks the engine of a reverse link.
func statusDial(d *tunnel.Tunnel, link string) bridge.Dial {
	return func(context.Context) (net.Conn, error) {
		conn, err := d.DialLink(link)
		if err != nil {
			return nil, err
		}
		return &asked{Conn: conn}, nil
	}
}

// asked remembers that it was refused, which an HTTP client says in words of its own.
type asked struct {
	net.Conn
	mu      sync.Mutex
	refused error
}

func (a *asked) Read(b []byte) (int, error) {
	n, err := a.Conn.Read(b)
	var refused *mux.RefusedError
	if errors.As(err, &refused) {
		a.mu.Lock()
		a.refused = err
		a.mu.Unlock()
	}
	return n, err
}

// probeReverse is engine.Probe for the engine of a reverse link.
func probeReverse(ctx context.Context, dial bridge.Dial) (engine.Info, error) {
	var conn *asked
	info, err := engine.Probe(ctx, func(ctx context.Context) (net.Conn, error) {
		c, err := dial(ctx)
		conn, _ = c.(*asked)
		return c, err
	})
	if err == nil || conn == nil {
		return info, err
	}
	conn.mu.Lock()
	defer conn.mu.Unlock()
	if conn.refused != nil {
		return info, fmt.Errorf("dial it: %w", conn.refused)
	}
	return info, err
}
