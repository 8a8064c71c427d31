package daemon

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// A user may write debian for Debian: what is told is what WSL calls it.
func TestADistroIsSpeltAsWSLDoes(t *testing.T) {
	for _, c := range []struct {
		link links.Link
		want string
	}{
		{links.Link{Distro: "debian"}, "Debian"},
		{links.Link{Distro: config.All, Shared: true}, config.All},
	} {
		in := &instance{link: c.link, status: control.Status{Link: control.Link{Distro: c.link.Distro}}}
		in.setServingTunnel(&tunnel.Tunnel{Distro: "Debian"}, nil, nil)
		if got := in.status.Link.Distro; got != c.want {
			t.Errorf("%s: it is told as %s", c.link.Distro, got)
		}
	}
}

// Who waits is told when it serves, or has a reason why not.
func TestSettled(t *testing.T) {
	for state, want := range map[tunnel.State]string{tunnel.Serving: "", tunnel.Lost: "gone"} {
		in := &instance{own: slog.New(slog.DiscardHandler), status: control.Status{State: string(tunnel.Starting)}}
		settled := make(chan control.Status)
		go func() { settled <- in.settledStatus(t.Context()) }()
		in.noteTunnelEvent(tunnel.Event{State: tunnel.Placing})
		in.noteTunnelEvent(tunnel.Event{State: state, Err: errors.New("gone")})
		if s := <-settled; s.State != string(state) || s.Reason != want {
			t.Errorf("%s: %+v", state, s)
		}
	}
}
