// Package doctor looks at everything that a bridge needs, in order, and tells what it sees.
//
// It finds out; it changes nothing, and knows neither why a finding matters nor what cures it.
//
// Law: a distro that does not run is not started; every question ends in bounded time; what a distro
// or an engine says comes out as short, printable text.
package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
)

// Code names a check. docs/doctor.md has a section for each.
type Code string

// The checks, in their order.
const (
	WSLThere      Code = "DWB101"
	WSLAnswers    Code = "DWB102"
	DistroThere   Code = "DWB103"
	DistroIsWSL2  Code = "DWB104"
	DistroRuns    Code = "DWB105"
	DistroStarts  Code = "DWB106"
	PipeThere     Code = "DWB201"
	EngineAnswers Code = "DWB202"
	EngineWindows Code = "DWB203"
	BridgeRuns    Code = "DWB301"
	BridgeWorks   Code = "DWB302"
	SocketThere   Code = "DWB401"
	SocketAccess  Code = "DWB402"
	SocketUsable  Code = "DWB403"
	ClientLed     Code = "DWB501"
)

// Codes are all of them.
func Codes() []Code {
	return []Code{
		WSLThere, WSLAnswers, DistroThere, DistroIsWSL2, DistroRuns, DistroStarts,
		PipeThere, EngineAnswers, EngineWindows, BridgeRuns, BridgeWorks,
		SocketThere, SocketAccess, SocketUsable, ClientLed,
	}
}

// Verdict is what a check comes to.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Failed  Verdict = "failed"
	Unknown Verdict = "unknown" // it could not be looked at, or there was no reason to
)

// Finding is what was seen at one check.
type Finding struct {
	Code    Code
	Verdict Verdict
	Seen    string
	Err     error // why it failed, if an error is behind it
}

// Patient is what is looked at.
type Patient struct {
	Place   control.Place     // Distro is empty for the default one
	Engine  endpoint.Endpoint // the zero value: that of the bridge, else it is looked for on Windows
	Windows bool
	Agent   string // the path of this build's agent in a distro; empty: there is none

	Bridges []control.Found // those that run
}

// Seen is what a visit was about, as far as that was found out.
type Seen struct {
	Place  control.Place
	Distro string         // that was looked into
	Bridge *control.Found // the one for the place; nil: none runs
}

// examination is one visit.
type examination struct {
	Patient
	tell func(Finding)

	wsl    daemon.WSL
	distro string // that is looked into; empty: none was found
	runs   bool   // the distro
	seen   inspection
	bridge *control.Found
}

// pick finds the bridge for the place.
func (e *examination) pick() {
	for i, b := range e.Bridges {
		if b.Place.ID() == e.Place.ID() {
			e.bridge = &e.Bridges[i]
		}
	}
}

// status is that of the bridge, if one runs and answers.
func (e *examination) status() (control.Status, bool) {
	if e.bridge == nil || e.bridge.Err != nil {
		return control.Status{}, false
	}
	return e.bridge.Status, true
}

// errSkip ends a row of checks that build on each other.
var errSkip = errors.New("nothing more to look at")

// Examine makes all checks and tells of each in its order.
func Examine(ctx context.Context, p Patient, tell func(Finding)) Seen {
	e := &examination{Patient: p}
	told := map[Code]bool{}
	e.tell = func(f Finding) { told[f.Code] = true; tell(f) }
	// What was left out is told where it would have stood.
	row := func(why string, last Code, checks ...func(context.Context) error) {
		for _, check := range checks {
			if check(ctx) != nil {
				break
			}
		}
		for _, code := range Codes() {
			if !told[code] && code <= last {
				e.tell(Finding{Code: code, Verdict: Unknown, Seen: why})
			}
		}
	}
	row("not looked at, since there is no distro to look into", DistroStarts,
		e.wslThere, e.wslAnswers, e.distroThere, e.distroRuns, e.distroStarts)
	e.pick()
	row("not looked at, since there is no engine to look at", EngineWindows, e.engine)
	row("not looked at, since none runs", BridgeWorks, e.bridgeRuns)
	row("not looked at: that takes a bridge that runs, and its agent in a distro that does", ClientLed, e.socket, e.client)
	return Seen{e.Place, e.distro, e.bridge}
}

// fail tells of a check that failed and ends its row.
func (e *examination) fail(code Code, seen string, err error) error {
	e.tell(Finding{Code: code, Verdict: Failed, Seen: strings.ReplaceAll(seen, "\n", "; "), Err: err})
	return errSkip
}

func (e *examination) ok(code Code, seen string) {
	e.tell(Finding{Code: code, Verdict: OK, Seen: seen})
}

func (e *examination) unknown(code Code, seen string) {
	e.tell(Finding{Code: code, Verdict: Unknown, Seen: seen})
}

// describe is what an engine said of itself.
func describe(info engine.Info) string {
	return info.Server + ", for " + info.OSType + " containers, API " + info.APIVersion
}
