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
	Kind   string      `json:"kind"`
	Engine string      `json:"engine"`
	Info   engine.Info `json:"engineInfo,omitzero"`
	Agent  string      `json:"agent"`
	Placed bool        `json:"agentPlaced"` // just now; else it was there
	Socket socket      `json:"socket"`
	Host   string      `json:"dockerHost,omitempty"` // of a docker link
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
	what, use := "engine", fmt.Sprintf(howDocker, v.Socket.Distro, v.Host, v.Host)
	if v.Kind == kindRaw {
		what, use = "pipe  ", ""
	}
	_, err := fmt.Fprintf(r.stdout, "\n%s   %s\n", what, v.Engine)
	if err == nil && v.Info != (engine.Info{}) {
		_, err = fmt.Fprintf(r.stdout, "         %s, for %s containers, API %s\n", v.Info.Server, v.Info.OSType, v.Info.APIVersion)
	}
	if err == nil {
		_, err = fmt.Fprintf(r.stdout, "distro   %s\nagent    %s (%s)\nsocket   %s  %s %s\n\n%sCtrl-C ends the bridge.\n",
			v.Socket.Distro, v.Agent, placed, v.Socket.Socket, v.Socket.Owner, v.Socket.Mode, use)
	}
	return err
}

// howDocker is what to run next: the distro and twice the socket.
const howDocker = `In %s run

  docker -H %s version

or, for all that follows in a shell,

  export DOCKER_HOST=%s

`

func (r *reporter) stopped() error {
	if r.json {
		return json.NewEncoder(r.stdout).Encode(map[string]string{"event": "stopped"})
	}
	_, err := fmt.Fprintln(r.stderr, "The bridge has ended; its socket is gone.")
	return err
}
