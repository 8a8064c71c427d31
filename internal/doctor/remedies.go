package doctor

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/setup"
)

// again is how a bridge that was stopped comes back.
const again = " and then up as before, or restart if it is installed,"

// byError cures what an error tells enough of.
func byError(f Finding, seen Seen) []codes.Hint {
	if errors.Is(f.Err, engine.ErrNoAnswer) {
		return f.Code.Hints(advice.RestartWords)
	}
	return advice.Hints(seen.Distro, f.Err)
}

func startRemedy(f Finding, seen Seen) []codes.Hint {
	if errors.Is(f.Err, context.DeadlineExceeded) {
		return wedgedRemedy(f, seen)
	}
	return byError(f, seen)
}

func wedgedRemedy(f Finding, _ Seen) []codes.Hint { return f.Code.Hints(advice.FrozenWords) }

func clockRemedy(f Finding, seen Seen) []codes.Hint {
	return f.Code.Hints(advice.InDistro(seen.Distro, "root", "hwclock", "-s")+" sets it by the machine's clock", "wsl --shutdown does, too, and ends every distro")
}

func pipeRemedy(f Finding, seen Seen) []codes.Hint {
	if seen.Bridge != nil && seen.Bridge.Status.Link.Reverse {
		return advice.ReverseHints(seen.Bridge.Status.Link)[:1]
	}
	return byError(f, seen)
}

func groupRemedy(f Finding, seen Seen) []codes.Hint {
	var group *GroupError
	if errors.As(f.Err, &group) {
		return f.Code.Hints(groupWords(group.Membership)...)
	}
	return byError(f, seen)
}

func startBridgeRemedy(f Finding, seen Seen) []codes.Hint {
	switch {
	case f.Err != nil:
		return advice.KillHints(seen.Bridge.PID)
	case setup.WrongFiles(setup.Recorded()) != nil:
		return configRemedy(f, seen)
	case setup.Recorded() != nil:
		return []codes.Hint{advice.StartAgainHint()}
	}
	return []codes.Hint{advice.NoneHint()}
}

func bridgeRemedy(_ Finding, seen Seen) []codes.Hint {
	return slices.DeleteFunc(advice.ToldHints(seen.Bridge.Status), func(h codes.Hint) bool { return h == advice.DoctorHint() })
}

func buildRemedy(f Finding, seen Seen) []codes.Hint {
	return f.Code.Hints("docker-wsl-bridge stop" + advice.FlagsOf(seen.Place) + again + " takes this build")
}

func socketRemedy(f Finding, seen Seen) []codes.Hint {
	return f.Code.Hints("docker-wsl-bridge stop" + advice.FlagsOf(seen.Place) + again + " makes it anew")
}

func userRemedy(f Finding, seen Seen) []codes.Hint {
	var barred *NotAllowedError
	switch {
	case !errors.As(f.Err, &barred):
		return byError(f, seen)
	case seen.Place.Everywhere():
		return f.Code.Hints(advice.InDistro(seen.Distro, "", "id", "-u", barred.User) + " tells the number to add to uids of the link; docker-wsl-bridge reload then lets that user in, and those of other distros who have the number")
	case barred.Group() != "":
		return f.Code.Hints(advice.InDistro(seen.Distro, "root", "usermod", "-aG", barred.Group(), barred.User) + " lets that user in, from his next shell on")
	}
	return f.Code.Hints("docker-wsl-bridge stop" + advice.FlagsOf(seen.Place) + ", and then up with --socket-owner " + codes.WindowsWord(barred.User) + ", makes it that user's")
}

func leftOverRemedy(f Finding, seen Seen) []codes.Hint {
	if seen.Bridge == nil {
		return f.Code.Hints("docker-wsl-bridge up" + advice.FlagsOf(seen.Place) + " removes it and makes its own")
	}
	return socketRemedy(f, seen)
}

func contextRemedy(f Finding, seen Seen) []codes.Hint {
	return f.Code.Hints(contextWords(seen.Place), "export DOCKER_HOST="+codes.ShWord("unix://"+seen.Place.Socket)+" leads docker here, in a shell of "+seen.Distro)
}

func installRemedy(f Finding, _ Seen) []codes.Hint {
	var off *install.OffError
	if errors.As(f.Err, &off) {
		return []codes.Hint{advice.SwitchOnHint(off)}
	}
	return f.Code.Hints("docker-wsl-bridge install makes it right")
}

func blockedRemedy(f Finding, _ Seen) []codes.Hint {
	return f.Code.Hints("ask whoever manages this machine to let wsl.exe and docker-wsl-bridge.exe run, by their hash or their path")
}

func configRemedy(Finding, Seen) []codes.Hint { return []codes.Hint{advice.ConfigCheckHint()} }

// groupWords say what lets the user in, of what is missing.
func groupWords(m Membership) []string {
	join := "net localgroup " + codes.WindowsWord(m.Group) + " %USERNAME% /add, as administrator, lets this user in from the next logon on"
	switch {
	case m.Group == "":
		return []string{advice.AccessHint}
	case !m.Known:
		return []string{"net localgroup " + codes.WindowsWord(m.Group) + " /add, as administrator, makes the group; then restart the engine: net stop docker & net start docker", join}
	case m.Member:
		return []string{advice.RestartWords + ", as administrator"}
	}
	return []string{join, "if you are in it already: log off and on, since a session has the groups of its beginning"}
}

// contextWords make a context that nothing shadows.
func contextWords(p control.Place) string {
	return "docker-wsl-bridge context create" + advice.FlagsOf(p) + " makes a context: docker --context " + links.DefaultContext + " goes there whatever else is set"
}

// discoverHints tell how what was discovered is linked, or what keeps it from being.
func discoverHints(d discovered) []codes.Hint {
	var owned *endpoint.OwnerError
	_, pipe, isPipe := strings.Cut(d.Place, "/pipe/")
	switch {
	case errors.Is(d.err, errNoAgent):
		return append(inDistroHints(d), codes.AgentFits.Hint("docker-wsl-bridge context ls --distro "+codes.WindowsWord(d.Distro)+" puts the agent there, and discover asks then"))
	case d.Distro != "" && d.Engine != nil:
		return inDistroHints(d)
	case errors.Is(d.err, errNoPipe):
		return codes.ClientLed.Hints("a link of the configuration reaches it, with " + wslcLine + "; docker-wsl-bridge config path tells where that is")
	case d.Distro != "" || !isPipe:
		return nil
	case d.Engine != nil && d.Engine.OSType != "windows":
		return codes.EngineWindows.Hints("docker-wsl-bridge up --pipe " + codes.WindowsWord(pipe) + " links it to a distro, although it runs " + d.Engine.OSType + " containers")
	case d.Engine != nil:
		return codes.BridgeRuns.Hints("docker-wsl-bridge up --pipe " + codes.WindowsWord(pipe) + " links it to a distro")
	case errors.As(d.err, &owned):
		return []codes.Hint{advice.OwnerHint(pipe, owned)}
	case errors.Is(d.err, fs.ErrPermission):
		return codes.PipeOpen.Hints(advice.AccessHint)
	}
	return nil
}

// wslcLine leads a link to the engine of WSL containers.
const wslcLine = `to = { exec = ["wslc", "system", "session", "run", "docker", "system", "dial-stdio"] }`

// inDistroHints are for an engine of a distro.
func inDistroHints(d discovered) []codes.Hint {
	return codes.ClientLed.Hints(
		"it is used in "+d.Distro+" itself, by docker -H "+codes.ShWord("unix://"+strings.TrimPrefix(d.Place, "unix:")),
		"Windows' programs reach it by a link of the configuration, from = \"npipe:////./pipe/NAME\" and to = "+codes.TOMLWord(d.Place)+"; docker-wsl-bridge config path tells where that is",
	)
}
