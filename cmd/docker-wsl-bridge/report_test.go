package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// Nothing that up prints has power over the terminal, whoever has named distro, socket and engine.
func TestWhatIsServedIsPlain(t *testing.T) {
	const evil = "a\x1b[2J\u202e\u009bm"
	var out strings.Builder
	served := &daemon.Served{Link: links.Link{Name: evil, Kind: config.Docker, Distro: evil, Socket: evil}, Engine: evil}
	r := &reporter{Printer: console.Printer{Out: &out, Err: &out}}
	for _, state := range []tunnel.State{tunnel.Starting, tunnel.Placing, tunnel.Serving, tunnel.Serving, tunnel.Lost, tunnel.Stopped} {
		served.Context = &daemon.MadeContext{Name: "windows", Err: errors.New(evil)}
		r.reportEvent(daemon.Event{Event: tunnel.Event{State: state, Distro: evil, Link: evil, Err: errors.New(evil)}, Served: served})
	}
	r.several = true
	r.reportEvent(daemon.Event{Event: tunnel.Event{State: tunnel.Serving, Distro: evil, Link: evil}, Served: served})
	if err := r.reportStopped(); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.ContainsAny(text, "\x1b\u202e\u009b") || strings.Count(text, "\ufffd[2J") < 10 {
		t.Errorf("%q", text)
	}
}
