package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervisor"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// reverse is what a link has whose clients are on Windows.
type reverse struct {
	pipe    endpoint.Endpoint // where they connect; the zero value: it is no such link
	allowed []string          // who may, besides the user
	socket  string            // what they reach in the distro
}

func (r reverse) is() bool { return r.pipe != endpoint.Endpoint{} }

const reverseForm = `a pipe leads to a socket in a distro; write to = "unix:/var/run/docker.sock"`

// reverseOptions understand such a link.
func reverseOptions(l *config.Link, goos string) (*options, *config.Error) {
	o := &options{name: l.Name, distro: l.Distro, kind: l.Kind, keepAlive: l.KeepAlive, paths: pathsOff}
	if goos != "windows" {
		return nil, l.Wrong("from", errors.New("a pipe is a place on Windows; write unix:/PATH, a socket in the distro"))
	}
	var err error
	if o.reverse.pipe, err = endpoint.Parse(l.From, goos); err != nil {
		return nil, l.Wrong("from", err)
	}
	o.socket = o.reverse.pipe.String()
	if l.To.Exec != nil || l.To.IsAuto() {
		return nil, l.Wrong("to", errors.New(reverseForm))
	}
	to, err := endpoint.Parse(l.To.Place, "linux")
	if err != nil {
		return nil, l.Wrong("to", fmt.Errorf("%w (%s)", err, reverseForm))
	}
	o.reverse.socket = to.Path()
	if l.Distro == config.All {
		return nil, l.Wrong("distro", errors.New("a pipe leads to one distro; name it"))
	}
	if err := o.checkDistro(); err != nil {
		return nil, l.Wrong("distro", err)
	}
	if l.Allow != "" {
		if o.reverse.allowed, err = endpoint.Allowed(l.Allow); err != nil {
			return nil, l.Wrong("allow", err)
		}
	}
	for _, no := range notReverse {
		if _, set := l.Source(no.key); set {
			return nil, l.Wrong(no.key, errors.New(no.why+"; leave the line out"))
		}
	}
	return o, nil
}

// notReverse are keys that say nothing of a pipe.
var notReverse = []struct{ key, why string }{
	{"host", "a pipe leads to one distro"},
	{"paths", "they are translated for engines of Windows alone"},
	{"context", "a docker context is made in a distro, for a socket there"},
	{"mode", "allow says who may connect to a pipe"},
	{"owner", "allow says who may connect to a pipe"},
	{"trust-pipe-owner", "the pipe is one's own"},
}

// samePipes are reverse links at one pipe, however that is written.
func samePipes(links []config.Link, goos string) (wrong config.Errors) {
	seen := map[string]string{} // links, by pipes
	for i := range links {
		l := &links[i]
		if !l.Reverse() {
			continue
		}
		o, err := reverseOptions(l, goos)
		if err != nil {
			continue // it is told elsewhere
		}
		pipe := strings.ToLower(o.socket)
		if other := seen[pipe]; other != "" {
			wrong = append(wrong, l.Wrong("from", fmt.Errorf("the link %s has that pipe already", other)))
			continue
		}
		seen[pipe] = l.Name
	}
	return wrong
}

// leadsTo is the engine of a reverse link, for people.
func (o *options) leadsTo() string { return "unix:" + o.reverse.socket }

// link is what a daemon is to serve.
func (r reverse) link(name string, door *bridge.Door) tunnel.Link {
	return tunnel.Link{Name: name, Door: door, Lead: bridge.Lead{Link: name, Socket: r.socket}}
}

// holdPipe has a link served as soon as it has its pipe, until ctx ends.
func (c *crew) holdPipe(ctx context.Context, p *post, in *instance) error {
	door := c.openDoor(ctx, p, in)
	if door == nil {
		return nil
	}
	c.opened(p, in, p.o.reverse.link(p.o.name, door), nil, p.o.leadsTo)
	<-ctx.Done()
	err := door.Close()
	if p.replaced {
		door.Cut()
	}
	return err
}

// openDoor listens at a link's pipe, as often as it takes to get it. It is nil when ctx ends before.
func (c *crew) openDoor(ctx context.Context, p *post, in *instance) *bridge.Door {
	var door *bridge.Door
	_ = supervisor.Run(ctx, func(context.Context) (well time.Duration, err error) {
		l, err := p.o.reverse.pipe.ListenFor(p.o.reverse.allowed)
		if err != nil {
			return 0, err
		}
		e := bridge.Entry{Link: p.o.name, Words: in.reverseWords, Log: in.log}
		if p.o.kind == kindDocker {
			e.Kind = bridge.KindDocker
		}
		door = bridge.OpenDoor(l, e)
		return 0, nil
	}, func(err error, pause time.Duration) (last bool) {
		if err != nil {
			e := tunnel.Event{State: tunnel.Failing, Distro: p.o.distro, Link: p.o.name, Err: err, Pause: pause}
			in.event(e)
			c.f.show.event(e)
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
	return reverseWords(why, in.o.distro, in.o.reverse.socket, state, reason)
}

// asks is how a status asks the engine of a reverse link.
func asks(d *tunnel.Tunnel, link string) bridge.Dial {
	return func(context.Context) (net.Conn, error) {
		conn, err := d.Dial(link)
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
