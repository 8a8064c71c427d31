package advice

import (
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// ReverseWords are for a client of a reverse link, by the bridge's reasons and the link's state.
func ReverseWords(why, distro, socket string, state tunnel.State, reason string) string {
	engine := "the Docker engine of the WSL distro " + distro
	switch why {
	case bridge.WhyDown:
		return downWords(distro, state, reason)
	case bridge.WhyFrozen:
		return codes.WSLWedged.Message("WSL's connection to " + distro + " stands still (is the machine just waking up?); if it stays so, run: wsl --shutdown")
	case bridge.WhyNotFound:
		return codes.PipeThere.Message(engine + " is not running: nobody listens at " + socket + "; " + reverseStartHint(distro))
	case bridge.WhyDenied:
		return codes.PipeOpen.Message(engine + " does not let root in at " + socket + "; to see who may connect, run: " + InDistro(distro, "", "ls", "-l", socket))
	case bridge.WhyTimeout:
		return codes.EngineAnswers.Message(engine + " takes no connections at " + socket + "; to restart it, run: " + InDistro(distro, "root", "service", "docker", "restart"))
	case bridge.WhyLimit:
		return codes.TooMany.Message("too many connections to " + engine + " are open; end some")
	case bridge.WhyStopping:
		return codes.BridgeRuns.Message("docker-wsl-bridge is stopping; to have it again, run: docker-wsl-bridge up")
	}
	return codes.BridgeWorks.Message(engine + " can't be reached at " + socket + "; to see why, run: docker-wsl-bridge status")
}

// reverseStartHint starts an engine of a distro.
func reverseStartHint(distro string) string {
	return "to start it, run: " + InDistro(distro, "root", "service", "docker", "start")
}

// downWords say why nothing is carried to a distro.
func downWords(distro string, state tunnel.State, reason string) string {
	switch state {
	case tunnel.Stopped, tunnel.Unused:
		return codes.DistroRuns.Message("the WSL distro " + distro + " does not run; to have it run, and be reached within 10 s, run: " + InDistro(distro, ""))
	case tunnel.Gone:
		return codes.DistroThere.Message("there is no WSL distro " + distro + "; to see which there are, run: wsl --list --quiet")
	case tunnel.Starting, tunnel.Placing:
		return codes.BridgeWorks.Message("the connection to the WSL distro " + distro + " is just being made; try again")
	case tunnel.Draining:
		return codes.BridgeRuns.Message("docker-wsl-bridge is stopping; to have it again, run: docker-wsl-bridge up")
	}
	if reason != "" {
		reason = " (" + printable.Line(reason) + ")"
	}
	return codes.BridgeWorks.Message("the connection to the WSL distro " + distro + " is down" + reason + ", and is tried again; to see how it is, run: docker-wsl-bridge status")
}

// ReverseHints are for a reverse link whose engine does not answer.
func ReverseHints(l control.Link) []codes.Hint {
	return []codes.Hint{codes.PipeThere.Hint("to start the engine there, if that is what is missing", InDistro(l.Distro, "root", "service", "docker", "start")), DoctorHint()}
}
