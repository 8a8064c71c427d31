// Package doctor looks at everything that a bridge needs, in order, and tells what it sees.
//
// It says why a finding matters and what cures it, repairs what is safe when it is asked to, and searches for
// engines. Nothing else changes anything.
//
// Law: a distro that does not run is not started; every question ends in bounded time; what a distro
// or an engine says comes out as short, printable text.
package doctor

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
)

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
	Code    codes.Code
	Verdict Verdict
	Seen    string
	Err     error // why it failed, if an error is behind it
}

// Target is what is looked at.
type Target struct {
	Place   control.Place     // Distro is empty for the default one
	Engine  endpoint.Endpoint // the zero value: that of the bridge, else it is looked for on Windows
	Windows bool
	Agent   string // the path of this build's agent in a distro; empty: there is none
	Build   string // of this program

	Bridges []control.Found // those that run

	Configured func() (words string, err error) // what the configuration says; nil: there is none to look at

	// ProgramData is where Windows keeps what programs of the machine know; empty: not on Windows.
	ProgramData string
	Member      func(group string) (bool, error)                // of this user's session
	Installed   func(context.Context) (words string, err error) // what starts the program at logon; nil: nothing can
	Blocked     func() (words string, err error)                // what Windows lets programs do; nil: not on Windows
}

// Seen is what a visit was about, as far as that was found out.
type Seen struct {
	Place  control.Place
	Distro string         // that was looked into
	Bridge *control.Found // the one for the place; nil: none runs
}

// exam is one visit.
type exam struct {
	Target
	tell func(Finding)

	wsl     distro.WSL
	wslErr  error  // why wsl.exe has not answered
	distro  string // that is looked into; empty: none was found
	runs    bool   // the distro
	hangs   bool   // a new session in it was not there in time
	seen    inspection
	asked   [2]time.Time // before and after the inspection
	engined engine.Info  // what the engine said of itself
}

// bridgeForPlace is the one for the place; nil: none runs.
func (e *exam) bridgeForPlace() *control.Found {
	for i, b := range e.Bridges {
		if b.Place.ID() == e.Place.ID() {
			return &e.Bridges[i]
		}
	}
	return nil
}

// bridgeStatus is that of the bridge, if one runs and answers.
func (e *exam) bridgeStatus() (control.Status, bool) {
	b := e.bridgeForPlace()
	if b == nil || b.Err != nil {
		return control.Status{}, false
	}
	return b.Status, true
}

// errSkip ends a row of checks that build on each other.
var errSkip = errors.New("nothing more to look at")

// Examine makes all checks and tells of each in its order.
func Examine(ctx context.Context, p Target, tell func(Finding)) Seen {
	e := &exam{Target: p}
	told := map[codes.Code]bool{}
	e.tell = func(f Finding) { told[f.Code] = true; tell(f) }
	for _, row := range checkTable() {
		for _, c := range row.checks {
			if c.look != nil && c.look(e, ctx) != nil {
				break
			}
		}
		for _, c := range row.checks { // what was left out is told where it would have stood
			if !told[c.code] {
				e.tellUnknown(c.code, row.without(e))
			}
		}
	}
	return Seen{e.Place, e.distro, e.bridgeForPlace()}
}

// tellFailed tells of a check that failed and ends its row.
func (e *exam) tellFailed(code codes.Code, seen string, err error) error {
	e.tell(Finding{Code: code, Verdict: Failed, Seen: strings.ReplaceAll(seen, "\n", "; "), Err: err})
	return errSkip
}

func (e *exam) tellOK(code codes.Code, seen string) {
	e.tell(Finding{Code: code, Verdict: OK, Seen: seen})
}

func (e *exam) tellUnknown(code codes.Code, seen string) {
	e.tell(Finding{Code: code, Verdict: Unknown, Seen: seen})
}

// describeEngine is what an engine said of itself.
func describeEngine(info engine.Info) string {
	return info.Server + ", for " + info.OSType + " containers, API " + info.APIVersion
}
