package doctor

import (
	"context"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
)

// check is a line of the table: what is looked at, and what cures what is found wrong there.
type check struct {
	code codes.Code
	// look tells of its code, and of those below it that have no look of their own. An error ends the row.
	look   func(*exam, context.Context) error
	remedy func(Finding, Seen) []codes.Hint
}

// row are checks that build on each other.
type row struct {
	without func(*exam) string // why a check of it was not made
	checks  []check
}

// checkTable has all checks, in the order of their codes.
func checkTable() []row {
	return []row{
		{constantReason("not looked at, since there is no distro to look into"), []check{
			{codes.WSLThere, (*exam).checkWSLThere, byError},
			{codes.WSLAnswers, (*exam).checkWSLAnswers, byError},
			{codes.DistroThere, (*exam).checkDistroThere, byError},
			{codes.DistroIsWSL2, nil, byError},
			{codes.DistroRuns, (*exam).checkDistroRuns, byError},
		}},
		{(*exam).whyNoSession, []check{
			{codes.DistroStarts, (*exam).checkInsideDistro, startRemedy},
			{codes.WSLWedged, nil, wedgedRemedy},
			{codes.AgentFits, nil, byError},
			{codes.Clock, nil, clockRemedy},
		}},
		{constantReason("not looked at, since there is no engine to look at"), []check{
			{codes.PipeThere, (*exam).checkEngine, pipeRemedy},
			{codes.PipeOpen, nil, groupRemedy},
			{codes.EngineAnswers, nil, byError},
			{codes.EngineWindows, nil, byError},
		}},
		{constantReason("not looked at, since none runs"), []check{
			{codes.BridgeRuns, (*exam).checkBridgeRuns, startBridgeRemedy},
			{codes.BridgeWorks, nil, bridgeRemedy},
			{codes.BridgeBuild, nil, buildRemedy},
		}},
		{(*exam).whyNoSocket, []check{
			{codes.SocketThere, (*exam).checkSocket, socketRemedy},
			{codes.SocketAccess, nil, socketRemedy},
			{codes.SocketUsable, nil, userRemedy},
			{codes.SocketServed, nil, leftOverRemedy},
			{codes.ClientLed, (*exam).checkClient, contextRemedy},
			{codes.ClientPorts, nil, byError},
			{codes.ClientPaths, nil, byError},
		}},
		{constantReason("not looked at: that is for Windows"), []check{
			{codes.Installed, (*exam).checkWindows, installRemedy},
			{codes.NotBlocked, nil, blockedRemedy},
		}},
		{constantReason("not looked at"), []check{
			{codes.Configuration, (*exam).checkConfiguration, configRemedy},
		}},
	}
}

func constantReason(why string) func(*exam) string {
	return func(*exam) string { return why }
}

func (e *exam) whyNoSession() string {
	if e.distro != "" && !e.runs {
		return "not looked at, since the distro does not run"
	}
	return "not looked at, since there is no distro to look into"
}

func (e *exam) whyNoSocket() string {
	if s, answers := e.bridgeStatus(); answers && s.Link.Reverse {
		return "not looked at: the link's clients are on Windows, at " + s.Link.Socket
	}
	return "not looked at: that takes a distro that runs, and the agent of this build in it"
}

// hintsFor cure what a check has found. seen is what it was about.
func hintsFor(f Finding, seen Seen) []codes.Hint {
	for _, row := range checkTable() {
		for _, c := range row.checks {
			if c.code == f.Code {
				return c.remedy(f, seen)
			}
		}
	}
	return byError(f, seen)
}
