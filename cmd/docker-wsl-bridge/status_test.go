package main

import (
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// A bridge that leads to nothing is told as that, and is no good end of a status.
func TestStatusOfABridgeThatLeadsToNothing(t *testing.T) {
	s := control.Status{
		State: string(tunnel.Serving), EngineError: "dial exec: x: there is no such program",
		Link: control.Link{Name: "x", Kind: config.Raw, Distro: "Debian", Socket: "/run/x.sock"},
	}
	if text := statusText(s); !strings.Contains(text, "can't be reached: "+s.EngineError) {
		t.Error(text)
	}
	if wellOrNot([]control.Status{s}, nil, nil) == nil {
		t.Error("status ends well")
	}
}
