package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// bridgeRuns tells of the one for the place.
func (e *examination) bridgeRuns(context.Context) error {
	b := e.theBridge()
	if b == nil {
		return e.fail(codes.BridgeRuns, fmt.Sprintf("no bridge of this user serves %s in %s", e.Place.Socket, distroOr(e.Place)), nil)
	}
	if b.Err != nil {
		return e.fail(codes.BridgeRuns, fmt.Sprintf("the bridge with pid %d does not answer", b.PID), b.Err)
	}
	s := b.Status
	e.ok(codes.BridgeRuns, fmt.Sprintf("pid %d serves %s in %s since %s", s.PID, s.Link.Socket, distroOr(s.Link.Place()), s.Since.Local().Format(time.DateTime)))
	defer e.build(s)
	if s.Works {
		e.ok(codes.BridgeWorks, fmt.Sprintf("it carries %d connections, and its agent answers after %.1f ms", s.Streams, s.RoundTrip*1000))
		return nil
	}
	seen := "its state is " + s.State
	for _, why := range []string{s.Reason, s.EngineError} {
		if why != "" {
			seen += "; " + printable.Line(why)
		}
	}
	return e.fail(codes.BridgeWorks, seen, nil)
}

// configuration tells whether the files are right: with a wrong one nothing is started.
func (e *examination) configuration(context.Context) error {
	if e.Configured == nil {
		return errSkip
	}
	words, err := e.Configured()
	if err != nil {
		return e.fail(codes.Configuration, err.Error(), err)
	}
	e.ok(codes.Configuration, words)
	return nil
}

func distroOr(p control.Place) string {
	switch {
	case p.Everywhere():
		return "every distro"
	case p.Distro == "":
		return "the default distro"
	}
	return p.Distro
}

// build compares the bridge with this program: both halves are of one build.
func (e *examination) build(s control.Status) {
	switch {
	case e.Build == "" || s.Build == "":
		e.unknown(codes.BridgeBuild, "the bridge is "+printable.Line(s.Version)+"; its build is not known")
	case s.Build != e.Build:
		_ = e.fail(codes.BridgeBuild, fmt.Sprintf("the bridge is %s of build %s, this program is of build %s", printable.Line(s.Version), short(s.Build), short(e.Build)), nil)
	default:
		e.ok(codes.BridgeBuild, fmt.Sprintf("the bridge is %s of build %s, as this program is", printable.Line(s.Version), short(s.Build)))
	}
}

// short is enough of a hash to tell builds apart, as the agent's file has it.
func short(build string) string { return printable.Line(build[:min(len(build), 16)]) }
