package doctor

import (
	"context"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
)

// check is a line of the table: what is looked at, and what cures what is found wrong there.
type check struct {
	code codes.Code
	// look tells of its code, and of those below it that have no look of their own. An error ends the row.
	look   func(*examination, context.Context) error
	remedy func(Finding, Seen) []codes.Hint
}

// row are checks that build on each other.
type row struct {
	without func(*examination) string // why a check of it was not made
	checks  []check
}

// table has all checks, in the order of their codes.
func table() []row {
	return []row{
		{because("not looked at, since there is no distro to look into"), []check{
			{codes.WSLThere, (*examination).wslThere, byError},
			{codes.WSLAnswers, (*examination).wslAnswers, byError},
			{codes.DistroThere, (*examination).distroThere, byError},
			{codes.DistroIsWSL2, nil, byError},
			{codes.DistroRuns, (*examination).distroRuns, byError},
		}},
		{(*examination).whyNoSession, []check{
			{codes.DistroStarts, (*examination).inDistro, startRemedy},
			{codes.WSLWedged, nil, wedgedRemedy},
			{codes.AgentFits, nil, byError},
			{codes.Clock, nil, clockRemedy},
		}},
		{because("not looked at, since there is no engine to look at"), []check{
			{codes.PipeThere, (*examination).engine, pipeRemedy},
			{codes.PipeOpen, nil, groupRemedy},
			{codes.EngineAnswers, nil, byError},
			{codes.EngineWindows, nil, byError},
		}},
		{because("not looked at, since none runs"), []check{
			{codes.BridgeRuns, (*examination).bridgeRuns, startBridgeRemedy},
			{codes.BridgeWorks, nil, bridgeRemedy},
			{codes.BridgeBuild, nil, buildRemedy},
		}},
		{(*examination).whyNoSocket, []check{
			{codes.SocketThere, (*examination).socket, socketRemedy},
			{codes.SocketAccess, nil, socketRemedy},
			{codes.SocketUsable, nil, userRemedy},
			{codes.SocketServed, nil, leftOverRemedy},
			{codes.ClientLed, (*examination).client, contextRemedy},
			{codes.ClientPorts, nil, byError},
			{codes.ClientPaths, nil, byError},
		}},
		{because("not looked at: that is for Windows"), []check{
			{codes.Installed, (*examination).windows, installRemedy},
			{codes.NotBlocked, nil, blockedRemedy},
		}},
		{because("not looked at"), []check{
			{codes.Configuration, (*examination).configuration, configRemedy},
		}},
	}
}

func because(why string) func(*examination) string {
	return func(*examination) string { return why }
}

func (e *examination) whyNoSession() string {
	if e.distro != "" && !e.runs {
		return "not looked at, since the distro does not run"
	}
	return "not looked at, since there is no distro to look into"
}

func (e *examination) whyNoSocket() string {
	if s, answers := e.status(); answers && s.Link.Reverse {
		return "not looked at: the link's clients are on Windows, at " + s.Link.Socket
	}
	return "not looked at: that takes a distro that runs, and the agent of this build in it"
}

// hintsFor cure what a check has found. seen is what it was about.
func hintsFor(f Finding, seen Seen) []codes.Hint {
	for _, row := range table() {
		for _, c := range row.checks {
			if c.code == f.Code {
				return c.remedy(f, seen)
			}
		}
	}
	return byError(f, seen)
}
