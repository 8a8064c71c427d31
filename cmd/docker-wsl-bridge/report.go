package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
)

// reporter tells a person or a script what up does.
type reporter struct {
	stdout, stderr io.Writer
	json           bool
}

// ready is what up serves.
type ready struct {
	Event  string      `json:"event"` // "ready"
	Engine string      `json:"engine"`
	Info   engine.Info `json:"engineInfo"`
	Agent  string      `json:"agent"`
	Placed bool        `json:"agentPlaced"` // just now; else it was there
	Socket socket      `json:"socket"`
	Host   string      `json:"dockerHost"`
}

// socket is what is served, and for whom.
type socket struct {
	Distro string `json:"distro"`
	Socket string `json:"socket"`
	bridge.Listening
}

// step says what is being done, for a person who waits.
func (r *reporter) step(format string, args ...any) {
	if !r.json {
		fmt.Fprintf(r.stderr, format+" ...\n", args...)
	}
}

func (r *reporter) ready(v ready) error {
	v.Event = "ready"
	if r.json {
		return json.NewEncoder(r.stdout).Encode(v)
	}
	placed := "was there already"
	if v.Placed {
		placed = "put there now"
	}
	info := fmt.Sprintf("%s, for %s containers, API %s", v.Info.Server, v.Info.OSType, v.Info.APIVersion)
	_, err := fmt.Fprintf(r.stdout, `
engine   %s
         %s
distro   %s
agent    %s (%s)
socket   %s  %s %s

In %s run

  docker -H %s version

or, for all that follows in a shell,

  export DOCKER_HOST=%s

Ctrl-C ends the bridge.
`, v.Engine, info, v.Socket.Distro, v.Agent, placed, v.Socket.Socket, v.Socket.Owner, v.Socket.Mode,
		v.Socket.Distro, v.Host, v.Host)
	return err
}

func (r *reporter) stopped() error {
	if r.json {
		return json.NewEncoder(r.stdout).Encode(map[string]string{"event": "stopped"})
	}
	_, err := fmt.Fprintln(r.stderr, "The bridge has ended; its socket is gone.")
	return err
}
