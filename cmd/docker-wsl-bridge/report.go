package main

import (
	"cmp"
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
	console.Printer
	several bool // links of a configuration

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

// readyFor is what will be told of a link.
func readyFor(s *daemon.Served, link string) ready {
	l := &s.Link
	v := ready{Event: string(tunnel.Serving), Link: link, Kind: l.Kind, Engine: s.Engine, Info: s.Info, Agent: s.Agent}
	v.Socket.Socket = l.Socket
	switch {
	case l.IsReverse() && l.Kind == config.Docker:
		v.Host = l.Socket
	case l.Kind == config.Docker:
		v.Host = "unix://" + l.Socket
	}
	return v
}

// reportEvent tells what the daemon is at, and what came of the docker context.
func (r *reporter) reportEvent(e daemon.Event) {
	if e.Step != "" {
		r.Step("%s ...", e.Step)
		return
	}
	switch e.State {
	case tunnel.Starting:
		r.Step("starting the agent in %s ...", e.Distro)
	case tunnel.Placing:
		r.Step("putting the agent into %s ...", e.Distro)
	case tunnel.Draining:
		r.Step("waiting up to %v for %d connections to end ...", e.Within, e.Streams)
	case tunnel.Serving:
		if r.several {
			r.servingLink(e)
			return
		}
		r.reportServing(e)
	case tunnel.Failing:
		r.reportHappening(e, fmt.Sprintf("the link %s is not served: %v; next attempt in %v", e.Link, e.Err, e.Pause.Round(100*time.Millisecond)))
	case daemon.ContextFailed:
		r.reportHappening(e, fmt.Sprintf("the link %s has no docker context: %v", e.Link, e.Err))
		if !r.JSON {
			for _, h := range advice.ContextHints(e.Distro, e.Err) {
				fmt.Fprint(r.Err, console.HintLine(h))
			}
		}
	case tunnel.Frozen:
		r.reportHappening(e, "wsl.exe stands still (does the machine sleep?); connections live on, new ones are told so")
	case tunnel.Thawed:
		r.reportHappening(e, "wsl.exe moves again")
	case tunnel.Stopped:
		r.reportHappening(e, fmt.Sprintf("%s was stopped; it is served again when somebody runs it", e.Distro))
	case tunnel.Gone:
		r.reportHappening(e, fmt.Sprintf("there is no distro %s any more; one of that name is served when somebody runs it", e.Distro))
	case tunnel.Woken:
		r.reportHappening(e, "the machine has woken up; the connection to "+e.Distro+" is looked at")
	case tunnel.Warned:
		r.reportHappening(e, fmt.Sprintf("the link %s: %v", e.Link, e.Err))
	case tunnel.Unused:
		r.reportHappening(e, fmt.Sprintf("nobody else uses %s; it may stop, and is served again when somebody runs it", e.Distro))
	case tunnel.Lost:
		r.reportHappening(e, fmt.Sprintf("lost: %v; next attempt in %v", e.Err, e.Pause.Round(100*time.Millisecond)))
	}
}

func (r *reporter) reportHappening(e daemon.Event, words string) {
	if r.several {
		words = e.Distro + ": " + words
	}
	h := happening{Event: string(e.State), Distro: e.Distro, Link: e.Link, Retry: e.Pause.Milliseconds()}
	if e.Err != nil {
		h.Reason = e.Err.Error()
	}
	r.Event(h, printable.Escape(words)+"\n")
}

// reportServing tells what is served: all of it the first time.
func (r *reporter) reportServing(e daemon.Event) {
	v := readyFor(e.Served, "")
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
	if again {
		r.Event(v, fmt.Sprintf("serving %s in %s again\n", printable.Line(v.Socket.Socket), printable.Line(v.Socket.Distro)))
		return
	}
	r.printResult(v, v.textForPerson())
	if !r.JSON && e.Served.Context != nil {
		fmt.Fprint(r.Err, setup.ContextWarning(v.Socket.Distro, *e.Served.Context))
	}
}

// servingLink tells of one of several.
func (r *reporter) servingLink(e daemon.Event) {
	v := readyFor(e.Served, e.Link)
	if e.Served.Link.Shared {
		v.Socket.Distro = e.Served.Link.Distro
	}
	v.Placed, v.Socket.Mode, v.Socket.Owner = e.Placed, e.Where.Mode, e.Where.Owner
	at := control.Place{Distro: cmp.Or(v.Socket.Distro, e.Distro), Socket: v.Socket.Socket}
	if at.IsInEveryDistro() {
		v.Socket.Host = e.Distro
	}
	v.Socket.Distro = at.Distro
	if v.Socket.Owner == "" {
		line := fmt.Sprintf("%-16s %s to %s in %s", v.Link, v.Socket.Socket, v.Engine, v.Socket.Distro)
		r.printResult(v, printable.Escape(line)+"\n")
		return
	}
	by := ""
	if v.Socket.Host != "" {
		by = ", by " + v.Socket.Host
	}
	line := fmt.Sprintf("%-16s %s%s  %s %s", v.Link, control.PlaceName(at), by, v.Socket.Owner, v.Socket.Mode)
	r.printResult(v, printable.Escape(line)+"\n")
}

// printResult is for what was asked for. A reader that has gone misses it.
func (r *reporter) printResult(object any, text string) {
	_ = r.Result(object, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

// textForPerson is for a person, who wants to know what to run next.
func (v ready) textForPerson() string {
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

func (r *reporter) reportStopped() error {
	text := "The bridge has ended; its socket is gone.\n"
	if r.what.Context != "" {
		line := fmt.Sprintf("The docker context %s stays for the next one; docker-wsl-bridge context rm --distro %s %s removes it.", r.what.Context, codes.WindowsWord(r.what.Socket.Distro), codes.WindowsWord(r.what.Context))
		text += printable.Escape(line) + "\n"
	}
	return r.Result(happening{Event: "stopped"}, func(io.Writer) error {
		_, err := io.WriteString(r.Err, text)
		return err
	})
}
