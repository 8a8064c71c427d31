package daemon

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// ContextTime bounds a context that is made beside what is more important; it takes half a second.
const ContextTime = 10 * time.Second

// ContextFailed is what becomes of a link of a configuration whose docker context can't be made: it is
// served all the same.
const ContextFailed tunnel.State = "context-failed"

// ContextsOf are the docker contexts of a distro.
func ContextsOf(w distro.WSL, agent deploy.Binary, name string) (distro.Contexts, error) {
	dir, err := state.Dir()
	return distro.Contexts{WSL: w, Agent: agent, Distro: name, State: dir}, err
}

// MakeContext makes the context of a socket.
func MakeContext(ctx context.Context, w distro.WSL, agent deploy.Binary, place control.Place, name string) (dockercontext.Answer, error) {
	contexts, err := ContextsOf(w, agent, place.Distro)
	if err != nil {
		return dockercontext.Answer{}, err
	}
	return contexts.MakeContext(ctx, place.Socket, name)
}

func NamedBy(name string, a dockercontext.Answer, err error) MadeContext {
	if err != nil {
		return MadeContext{Err: err}
	}
	return MadeContext{Name: name, Note: a.Led.WhyAstray(name, a.Host)}
}

// namer has the context made as soon as the socket is served. It must hold up nobody who carries.
type namer struct {
	link  links.Link
	w     distro.WSL
	agent deploy.Binary
	log   *slog.Logger
}

// handleServedEvent gives what came of it, or nil if it is not the time.
func (n *namer) handleServedEvent(ctx context.Context, e tunnel.Event) *MadeContext {
	if e.State != tunnel.Serving || n.link.Context == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, ContextTime)
	defer cancel()
	a, err := MakeContext(ctx, n.w, n.agent, control.Place{Distro: n.link.Distro, Socket: n.link.Socket}, n.link.Context)
	if err != nil {
		n.log.Warn("docker context", "error", err)
	} else {
		n.log.Info("docker context", "name", n.link.Context, "user", a.User, "state", string(a.State))
	}
	made := NamedBy(n.link.Context, a, err)
	return &made
}

// MadeFor makes the context of a link that another program serves.
func MadeFor(ctx context.Context, l control.Link) MadeContext {
	ctx, cancel := context.WithTimeout(ctx, ContextTime)
	defer cancel()
	agent, err := deploy.Own()
	if err != nil {
		return MadeContext{Err: err}
	}
	w, err := distro.FindWSL()
	if err != nil {
		return MadeContext{Err: err}
	}
	a, err := MakeContext(ctx, w, agent, l.PlaceOf(), l.Context)
	return NamedBy(l.Context, a, err)
}

// ContextPlace is where contexts are looked after.
type ContextPlace struct {
	control.Place
	WSL   distro.WSL
	Agent deploy.Binary
	Name  string // of the context
}

// FindPlace takes the one bridge that runs for what was not told.
func FindPlace(ctx context.Context, c control.Chosen) (p ContextPlace, err error) {
	p.Place = control.Place{Distro: c.Distro, Socket: cmp.Or(c.Socket, links.DefaultSocket)}
	bridges, err := control.RunningBridges(ctx, c)
	bridges = slices.DeleteFunc(bridges, func(f control.Found) bool { return control.IsPipe(f.Place) })
	if err == nil && len(bridges) == 1 {
		p.Place = bridges[0].Place
		if p.IsInEveryDistro() {
			p.Distro = bridges[0].Status.Link.Host
		}
	}
	if p.Agent, err = deploy.Own(); err != nil {
		return p, err
	}
	if p.WSL, err = distro.FindWSL(); err != nil {
		return p, err
	}
	p.Distro, err = p.WSL.ChooseDistro(ctx, p.Distro)
	return p, err
}

func (p ContextPlace) AskContexts(ctx context.Context, args ...string) (dockercontext.Answer, error) {
	if err := state.RecordMade(state.Made{Distro: p.Distro}); err != nil {
		return dockercontext.Answer{}, err // the agent's file may be new there
	}
	contexts, err := ContextsOf(p.WSL, p.Agent, p.Distro)
	if err != nil {
		return dockercontext.Answer{}, err
	}
	return contexts.AskContexts(ctx, "", args...)
}
