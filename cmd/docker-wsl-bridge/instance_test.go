package main

import (
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// A user may write debian for Debian: what is told is what WSL calls it.
func TestADistroIsSpeltAsWSLDoes(t *testing.T) {
	for _, c := range []struct {
		o    options
		want string
	}{
		{options{distro: "debian"}, "Debian"},
		{options{distro: config.All, shared: true}, config.All},
	} {
		in := &instance{o: &c.o, status: control.Status{Link: control.Link{Distro: c.o.distro}}}
		in.serves(&tunnel.Tunnel{Distro: "Debian"}, nil, nil)
		if got := in.status.Link.Distro; got != c.want {
			t.Errorf("%s: it is told as %s", c.o.distro, got)
		}
	}
}
