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
		return codes.WSLWedged.Hint("WSL's connection to " + distro + " stands still (is the machine just waking up?); if it stays so, run: wsl --shutdown").String()
	case bridge.WhyNotFound:
		return codes.PipeThere.Hint(engine + " is not running: nobody listens at " + socket + "; " + reverseStartHint(distro)).String()
	case bridge.WhyDenied:
		return codes.PipeOpen.Hint(engine + " does not let root in at " + socket + "; to see who may connect, run: " + InDistro(distro, "", "ls", "-l", socket)).String()
	case bridge.WhyTimeout:
		return codes.EngineAnswers.Hint(engine + " takes no connections at " + socket + "; to restart it, run: " + InDistro(distro, "root", "service", "docker", "restart")).String()
	case bridge.WhyLimit:
		return codes.TooMany.Hint("too many connections to " + engine + " are open; end some").String()
	case bridge.WhyStopping:
		return codes.BridgeRuns.Hint("docker-wsl-bridge is stopping; to have it again, run: docker-wsl-bridge up").String()
	}
	return codes.BridgeWorks.Hint(engine + " can't be reached at " + socket + "; to see why, run: docker-wsl-bridge status").String()
}

// reverseStartHint starts an engine of a distro.
func reverseStartHint(distro string) string {
	return "to start it, run: " + InDistro(distro, "root", "service", "docker", "start")
}

// downWords say why nothing is carried to a distro.
func downWords(distro string, state tunnel.State, reason string) string {
	switch state {
	case tunnel.Stopped, tunnel.Unused:
		return codes.DistroRuns.Hint("the WSL distro " + distro + " does not run; to have it run, and be reached within 10 s, run: " + InDistro(distro, "")).String()
	case tunnel.Gone:
		return codes.DistroThere.Hint("there is no WSL distro " + distro + "; to see which there are, run: wsl --list --quiet").String()
	case tunnel.Starting, tunnel.Placing:
		return codes.BridgeWorks.Hint("the connection to the WSL distro " + distro + " is just being made; try again").String()
	case tunnel.Draining:
		return codes.BridgeRuns.Hint("docker-wsl-bridge is stopping; to have it again, run: docker-wsl-bridge up").String()
	}
	if reason != "" {
		reason = " (" + printable.Line(reason) + ")"
	}
	return codes.BridgeWorks.Hint("the connection to the WSL distro " + distro + " is down" + reason + ", and is tried again; to see how it is, run: docker-wsl-bridge status").String()
}

// ReverseHints are for a reverse link whose engine does not answer.
func ReverseHints(l control.Link) []codes.Hint {
	return []codes.Hint{codes.PipeThere.Hint(InDistro(l.Distro, "root", "service", "docker", "start") + " starts the engine there, if that is what is missing"), DoctorHint()}
}
