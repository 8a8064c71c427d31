package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/setup"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// reporter tells a person or a script what up does. What is asked for goes to
// stdout; what happens meanwhile to stderr, and with --json all to stdout.
type reporter struct {
	stdout, stderr io.Writer
	json           bool
	several        bool // links of a configuration

	served bool  // once at least
	what   ready // what was served last
}

// ready is what up serves.
type ready struct {
	Event  string      `json:"event"`          // "ready"
	Link   string      `json:"link,omitempty"` // of the configuration
	Kind   string      `json:"kind"`
	Engine string      `json:"engine"`
	Info   engine.Info `json:"engineInfo,omitzero"`
	Agent  string      `json:"agent"`
	Placed bool        `json:"agentPlaced"` // just now; else it was there
	Socket socket      `json:"socket"`
	Host   string      `json:"dockerHost,omitempty"` // of a docker link

	Context      string       `json:"context,omitempty"`      // of docker, that leads there
	ContextNote  string       `json:"contextNote,omitempty"`  // what leads elsewhere where none is named
	ContextError string       `json:"contextError,omitempty"` // why there is none
	ContextHints []codes.Hint `json:"contextHints,omitempty"`
}

// socket is what is served, and for whom.
type socket struct {
	Distro string `json:"distro"`
	Host   string `json:"host,omitempty"` // whose agent serves all distros
	Socket string `json:"socket"`
	Mode   string `json:"mode"`
	Owner  string `json:"owner"`
}

// happening is what else a script is told of.
type happening struct {
	Event  string `json:"event"` // a tunnel.State, or "stopped"
	Distro string `json:"distro,omitempty"`
	Link   string `json:"link,omitempty"` // of the configuration
	Reason string `json:"reason,omitempty"`
	Retry  int64  `json:"retryMilliseconds,omitempty"`
}

// about is what will be told of a link.
func about(s *daemon.Served, link string) ready {
	l := &s.Link
	v := ready{Event: string(tunnel.Serving), Link: link, Kind: l.Kind, Engine: s.Engine, Info: s.Info, Agent: s.Agent}
	v.Socket.Socket = l.Socket
	switch {
	case l.Reverse() && l.Kind == config.Docker:
		v.Host = l.Socket
	case l.Kind == config.Docker:
		v.Host = "unix://" + l.Socket
	}
	return v
}

// step says what is being done, for a person who waits.
func (r *reporter) step(format string, args ...any) {
	if !r.json {
		fmt.Fprintln(r.stderr, printable.Escape(fmt.Sprintf(format, args...)+" ..."))
	}
}

// event tells what the daemon is at, and what came of the docker context.
func (r *reporter) event(e daemon.Event) {
	if e.Step != "" {
		r.step("%s", e.Step)
		return
	}
	switch e.State {
	case tunnel.Starting:
		r.step("starting the agent in %s", e.Distro)
	case tunnel.Placing:
		r.step("putting the agent into %s", e.Distro)
	case tunnel.Draining:
		r.step("waiting up to %v for %d connections to end", e.Within, e.Streams)
	case tunnel.Serving:
		if r.several {
			r.servingLink(e)
			return
		}
		r.serving(e)
	case tunnel.Failing:
		r.happens(e, fmt.Sprintf("the link %s is not served: %v; next attempt in %v", e.Link, e.Err, e.Pause.Round(100*time.Millisecond)))
	case daemon.ContextFailed:
		r.happens(e, fmt.Sprintf("the link %s has no docker context: %v", e.Link, e.Err))
		if !r.json {
			for _, h := range advice.ContextHints(e.Distro, e.Err) {
				fmt.Fprint(r.stderr, console.HintLine(h))
			}
		}
	case tunnel.Frozen:
		r.happens(e, "wsl.exe stands still (does the machine sleep?); connections live on, new ones are told so")
	case tunnel.Thawed:
		r.happens(e, "wsl.exe moves again")
	case tunnel.Stopped:
		r.happens(e, fmt.Sprintf("%s was stopped; it is served again when somebody runs it", e.Distro))
	case tunnel.Gone:
		r.happens(e, fmt.Sprintf("there is no distro %s any more; one of that name is served when somebody runs it", e.Distro))
	case tunnel.Woken:
		r.happens(e, "the machine has woken up; the connection to "+e.Distro+" is looked at")
	case tunnel.Warned:
		r.happens(e, fmt.Sprintf("the link %s: %v", e.Link, e.Err))
	case tunnel.Unused:
		r.happens(e, fmt.Sprintf("nobody else uses %s; it may stop, and is served again when somebody runs it", e.Distro))
	case tunnel.Lost:
		r.happens(e, fmt.Sprintf("lost: %v; next attempt in %v", e.Err, e.Pause.Round(100*time.Millisecond)))
	}
}

func (r *reporter) happens(e daemon.Event, words string) {
	if r.several {
		words = e.Distro + ": " + words
	}
	if !r.json {
		fmt.Fprintln(r.stderr, printable.Escape(words))
		return
	}
	h := happening{Event: string(e.State), Distro: e.Distro, Link: e.Link, Retry: e.Pause.Milliseconds()}
	if e.Err != nil {
		h.Reason = e.Err.Error()
	}
	r.line(h)
}

// line tells a script. Whoever does not listen any more misses it.
func (r *reporter) line(v any) { _ = json.NewEncoder(r.stdout).Encode(v) }

// serving tells what is served: all of it the first time.
func (r *reporter) serving(e daemon.Event) {
	v := about(e.Served, "")
	v.Socket.Distro = e.Served.Link.Distro
	if made := e.Served.Context; made != nil {
		v.Context, v.ContextNote = made.Name, made.Note
		if made.Err != nil {
			v.ContextError, v.ContextHints = made.Err.Error(), advice.ContextHints(v.Socket.Distro, made.Err)
		}
	}
	r.what = v
	v.Placed, v.Socket.Mode, v.Socket.Owner = e.Placed, e.Where.Mode, e.Where.Owner
	again := r.served
	r.served = true
	switch {
	case r.json:
		r.line(v)
	case again:
		fmt.Fprintf(r.stderr, "serving %s in %s again\n", printable.Line(v.Socket.Socket), printable.Line(v.Socket.Distro))
	default:
		fmt.Fprint(r.stdout, v.text())
		if e.Served.Context != nil {
			fmt.Fprint(r.stderr, setup.ContextWarning(v.Socket.Distro, *e.Served.Context))
		}
	}
}

// servingLink tells of one of several.
func (r *reporter) servingLink(e daemon.Event) {
	v := about(e.Served, e.Link)
	if e.Served.Link.Shared {
		v.Socket.Distro = e.Served.Link.Distro
	}
	v.Placed, v.Socket.Mode, v.Socket.Owner = e.Placed, e.Where.Mode, e.Where.Owner
	at := control.Place{Distro: cmp.Or(v.Socket.Distro, e.Distro), Socket: v.Socket.Socket}
	if at.Everywhere() {
		v.Socket.Host = e.Distro
	}
	v.Socket.Distro = at.Distro
	if r.json {
		r.line(v)
		return
	}
	if v.Socket.Owner == "" {
		line := fmt.Sprintf("%-16s %s to %s in %s", v.Link, v.Socket.Socket, v.Engine, v.Socket.Distro)
		fmt.Fprintln(r.stdout, printable.Escape(line))
		return
	}
	by := ""
	if v.Socket.Host != "" {
		by = ", by " + v.Socket.Host
	}
	line := fmt.Sprintf("%-16s %s%s  %s %s", v.Link, control.PlaceName(at), by, v.Socket.Owner, v.Socket.Mode)
	fmt.Fprintln(r.stdout, printable.Escape(line))
}

// text is for a person, who wants to know what to run next.
func (v ready) text() string {
	placed := "was there already"
	if v.Placed {
		placed = "put there now"
	}
	what, info, use := "engine", "", advice.HowDocker(v.Socket.Distro, v.Host, v.Context)
	if v.Kind == config.Raw {
		what, use = "pipe  ", ""
	}
	if v.Info != (engine.Info{}) {
		info = fmt.Sprintf("         %s, for %s containers, API %s\n", v.Info.Server, v.Info.OSType, v.Info.APIVersion)
	}
	return fmt.Sprintf("\n%s   %s\n%sdistro   %s\nagent    %s (%s)\nsocket   %s  %s %s\n\n%sCtrl-C ends the bridge.\n",
		what, printable.Line(v.Engine), info, printable.Line(v.Socket.Distro), v.Agent, placed, printable.Line(v.Socket.Socket), v.Socket.Owner, v.Socket.Mode, use)
}

func (r *reporter) stopped() error {
	if r.json {
		return json.NewEncoder(r.stdout).Encode(happening{Event: "stopped"})
	}
	text := "The bridge has ended; its socket is gone.\n"
	if r.what.Context != "" {
		line := fmt.Sprintf("The docker context %s stays for the next one; docker-wsl-bridge context rm --distro %s %s removes it.", r.what.Context, codes.WindowsWord(r.what.Socket.Distro), codes.WindowsWord(r.what.Context))
		text += printable.Escape(line) + "\n"
	}
	_, err := io.WriteString(r.stderr, text)
	return err
}
