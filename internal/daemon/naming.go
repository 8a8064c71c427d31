package daemon

import (
	"context"
	"log/slog"
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
	return contexts.Make(ctx, place.Socket, name)
}

func NamedBy(name string, a dockercontext.Answer, err error) MadeContext {
	if err != nil {
		return MadeContext{Err: err}
	}
	return MadeContext{Name: name, Note: a.Led.Astray(name, a.Host)}
}

// namer has the context made as soon as the socket is served. It must hold up nobody who carries.
type namer struct {
	link  links.Link
	w     distro.WSL
	agent deploy.Binary
	log   *slog.Logger
}

// event gives what came of it, or nil if it is not the time.
func (n *namer) event(ctx context.Context, e tunnel.Event) *MadeContext {
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
	a, err := MakeContext(ctx, w, agent, l.Place(), l.Context)
	return NamedBy(l.Context, a, err)
}
