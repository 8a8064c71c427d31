package daemon

import (
	"context"
	"net"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// forwardLink is a link as its tunnel serves it, with an engine that people know as at.
func forwardLink(l *links.Link, dial bridge.Dial, at string) tunnel.Link {
	t := tunnel.Link{
		Name: l.Name, Dial: dial,
		Listen: bridge.Listen{Link: l.Name, Socket: l.AgentSocket(), Mode: l.Mode, Owner: l.Owner, Uids: l.Uids},
	}
	if l.Kind == config.Docker {
		t.Listen.Kind, t.Listen.Answers = bridge.KindDocker, advice.Answers(at)
		if l.Paths == config.Auto {
			t.Listen.Paths = bridge.PathsAuto
		}
	}
	return t
}

// findEngine asks the named engine, or the first one for Windows containers.
// What carries something else is not asked: a connection is all it may expect.
func findEngine(ctx context.Context, l *links.Link, step func(string)) (endpoint.Endpoint, engine.Info, error) {
	if l.Kind == config.Raw {
		return l.Engine, engine.Info{}, nil
	}
	if named := l.Engine; named != (endpoint.Endpoint{}) {
		step("asking " + named.String())
		info, err := engine.Probe(ctx, l.DialerFor(named))
		return named, info, err
	}
	step("looking for an engine for Windows containers")
	name, info, err := engine.FindEngine(ctx, engine.PipeNames(), func(ctx context.Context, name string) (net.Conn, error) {
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
