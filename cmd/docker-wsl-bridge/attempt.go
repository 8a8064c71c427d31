package main

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// up serves until ctx ends, which is success. It fills in the distro. What can't be had at the start
// is an error; what is lost later comes back.
func up(ctx context.Context, o *options, r *reporter) (err error) {
	w, err := distro.FindWSL()
	if err != nil {
		return err
	}
	told := (*teller)(nil)
	if o.debug {
		told = newTeller(r.stderr)
		defer told.close()
		w.Stderr = func() io.Writer { return told.lines("distro: ") }
	}
	if o.link.Distro, err = w.Choose(ctx, o.link.Distro); err != nil {
		return err
	}
	ctx, in, err := openInstance(ctx, o.link, o.debug, r, told)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close(err)) }()
	if o.debug {
		w.Stderr = func() io.Writer { return io.MultiWriter(told.lines("distro: "), in.distroLines()) }
	}
	place, info, err := findEngine(ctx, &o.link, r)
	if err != nil {
		return err
	}
	agent, err := deploy.Own()
	if err != nil {
		return err
	}
	r.about(&o.link, place, info, deploy.Path(agent.Hash))
	named := &namer{o.link, w, agent, in.own}
	shown := newScreen(func(e tunnel.Event) {
		r.event(e, named.event(ctx, e))
	})
	f := newFinder(&o.link, in)
	f.found = place
	d := &tunnel.Tunnel{
		WSL: w, Agent: agent, Distro: o.link.Distro, Links: []tunnel.Link{carried(&o.link, in.dials(f.dial), f.words())}, Log: in.log, Debug: o.debug,
		Report:       func(e tunnel.Event) { in.event(e); shown.event(e) },
		WhileRunning: o.link.MayStop(), Wake: o.wake,
	}
	in.serves(d, f.look, f.place)
	err = d.Run(ctx)
	shown.close()
	if err != nil {
		return err
	}
	return r.stopped()
}

// carried is a link as its tunnel serves it, with an engine that people know as at.
func carried(l *links.Link, dial bridge.Dial, at string) tunnel.Link {
	t := tunnel.Link{
		Name: l.Name, Dial: dial,
		Listen: bridge.Listen{Link: l.Name, Socket: l.AgentSocket(), Mode: l.Mode, Owner: l.Owner, Uids: l.Uids},
	}
	if l.Kind == config.Docker {
		t.Listen.Kind, t.Listen.Answers = bridge.KindDocker, answers(at)
		if l.Paths == config.Auto {
			t.Listen.Paths = bridge.PathsAuto
		}
	}
	return t
}

// findEngine asks the named engine, or the first one for Windows containers.
// What carries something else is not asked: a connection is all it may expect.
func findEngine(ctx context.Context, l *links.Link, r *reporter) (endpoint.Endpoint, engine.Info, error) {
	if l.Kind == config.Raw {
		return l.Engine, engine.Info{}, nil
	}
	if named := l.Engine; named != (endpoint.Endpoint{}) {
		r.step("asking %s", named)
		info, err := engine.Probe(ctx, l.Dialer(named))
		return named, info, err
	}
	r.step("looking for an engine for Windows containers")
	name, info, err := engine.Find(ctx, engine.Names(), func(ctx context.Context, name string) (net.Conn, error) {
		place, err := endpoint.Parse(name, "windows")
		if err != nil {
			return nil, err
		}
		return place.Dial(ctx)
	})
	if err != nil {
		return endpoint.Endpoint{}, info, err
	}
	place, err := endpoint.Parse(name, "windows")
	return place, info, err
}
