package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// checkBridgeRuns tells of the one for the place.
func (e *exam) checkBridgeRuns(context.Context) error {
	b := e.bridgeForPlace()
	if b == nil {
		return e.tellFailed(codes.BridgeRuns, fmt.Sprintf("no bridge of this user serves %s in %s", e.Place.Socket, distroOr(e.Place)), nil)
	}
	if b.Err != nil {
		return e.tellFailed(codes.BridgeRuns, fmt.Sprintf("the bridge with pid %d does not answer", b.PID), b.Err)
	}
	s := b.Status
	e.tellOK(codes.BridgeRuns, fmt.Sprintf("pid %d serves %s in %s since %s", s.PID, s.Link.Socket, distroOr(s.Link.PlaceOf()), s.Since.Local().Format(time.DateTime)))
	defer e.checkBuild(s)
	if s.Works {
		e.tellOK(codes.BridgeWorks, fmt.Sprintf("it carries %d connections, and its agent answers after %.1f ms", s.Streams, s.RoundTrip*1000))
		return nil
	}
	seen := "its state is " + s.State
	for _, why := range []string{s.Reason, s.EngineError} {
		if why != "" {
			seen += "; " + printable.Line(why)
		}
	}
	return e.tellFailed(codes.BridgeWorks, seen, nil)
}

// checkConfiguration tells whether the files are right: with a wrong one nothing is started.
func (e *exam) checkConfiguration(context.Context) error {
	if e.Configured == nil {
		return errSkip
	}
	words, err := e.Configured()
	if err != nil {
		return e.tellFailed(codes.Configuration, err.Error(), err)
	}
	e.tellOK(codes.Configuration, words)
	return nil
}

func distroOr(p control.Place) string {
	switch {
	case p.IsInEveryDistro():
		return "every distro"
	case p.Distro == "":
		return "the default distro"
	}
	return p.Distro
}

// checkBuild compares the bridge with this program: both halves are of one build.
func (e *exam) checkBuild(s control.Status) {
	switch {
	case e.Build == "" || s.Build == "":
		e.tellUnknown(codes.BridgeBuild, "the bridge is "+printable.Line(s.Version)+"; its build is not known")
	case s.Build != e.Build:
		_ = e.tellFailed(codes.BridgeBuild, fmt.Sprintf("the bridge is %s of build %s, this program is of build %s", printable.Line(s.Version), shortBuild(s.Build), shortBuild(e.Build)), nil)
	default:
		e.tellOK(codes.BridgeBuild, fmt.Sprintf("the bridge is %s of build %s, as this program is", printable.Line(s.Version), shortBuild(s.Build)))
	}
}

// shortBuild is enough of a hash to tell builds apart, as the agent's file has it.
func shortBuild(build string) string { return printable.Line(build[:min(len(build), 16)]) }
