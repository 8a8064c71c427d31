package main

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

const linkName = "windows"

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
	if o.distro, err = w.Choose(ctx, o.distro); err != nil {
		return err
	}
	ctx, in, err := openInstance(ctx, o, r, told)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close(err)) }()
	if o.debug {
		w.Stderr = func() io.Writer { return io.MultiWriter(told.lines("distro: "), in.distroLines()) }
	}
	place, info, err := findEngine(ctx, o, r)
	if err != nil {
		return err
	}
	agent, err := deploy.Own()
	if err != nil {
		return err
	}
	r.about(o, place, info, deploy.Path(agent.Hash))
	named := &namer{o, w, agent, in.own}
	shown := newScreen(func(e tunnel.Event) {
		r.event(e, named.event(ctx, e))
	})
	f := newFinder(o, in)
	f.found = place
	d := &tunnel.Tunnel{
		WSL: w, Agent: agent, Distro: o.distro, Links: []tunnel.Link{o.link(in.dials(f.dial), f.words())}, Log: in.log, Debug: o.debug,
		Report:       func(e tunnel.Event) { in.event(e); shown.event(e) },
		WhileRunning: o.keepAlive == keepWhileRunning, Wake: o.wake,
	}
	in.serves(d, f.look, f.place)
	err = d.Run(ctx)
	shown.close()
	if err != nil {
		return err
	}
	return r.stopped()
}

// told is the socket as the agent is told it; empty for a pipe on Windows.
func (o *options) told() string {
	switch {
	case o.reverse.is():
		return ""
	case o.shared:
		return paths.ToShared(o.socket)
	}
	return o.socket
}

// link is what the flags ask for, with an engine that people know as at.
func (o *options) link(dial bridge.Dial, at string) tunnel.Link {
	l := tunnel.Link{
		Name: o.name, Dial: dial,
		Listen: bridge.Listen{Link: o.name, Socket: o.told(), Mode: o.mode, Owner: o.owner, Uids: o.uids},
	}
	if o.kind == kindDocker {
		l.Listen.Kind, l.Listen.Answers = bridge.KindDocker, answers(at)
		if o.paths == pathsAuto {
			l.Listen.Paths = bridge.PathsAuto
		}
	}
	return l
}

// findEngine asks the named engine, or the first one for Windows containers.
// What carries something else is not asked: a connection is all it may expect.
func findEngine(ctx context.Context, o *options, r *reporter) (endpoint.Endpoint, engine.Info, error) {
	if o.kind == kindRaw {
		return o.engine, engine.Info{}, nil
	}
	if named := o.engine; named != (endpoint.Endpoint{}) {
		r.step("asking %s", named)
		info, err := engine.Probe(ctx, o.dial(named))
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
