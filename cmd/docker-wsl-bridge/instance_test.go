package main

import (
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
		in.serves(&tunnel.Tunnel{Distro: "Debian"}, nil, nil)
		if got := in.status.Link.Distro; got != c.want {
			t.Errorf("%s: it is told as %s", c.link.Distro, got)
		}
	}
}
