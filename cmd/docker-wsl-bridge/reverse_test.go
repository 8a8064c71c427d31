package main

import (
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
)

// What is on Windows is no place for a docker command of a distro.
func TestAPipeIsNoSocket(t *testing.T) {
	if !control.IsPipe(control.Place{Distro: "Ubuntu", Socket: "npipe:////./pipe/x"}) || control.IsPipe(control.Place{Distro: "Ubuntu", Socket: "/run/npipe:x"}) {
		t.Error("a pipe is taken for a socket, or a socket for a pipe")
	}
}
