package doctor

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/setup"
)

// again is how a bridge that was stopped comes back.
const again = " (then up as before, or, if it is installed, restart)"

// byError cures what an error tells enough of.
func byError(f Finding, seen Seen) []codes.Hint {
	if errors.Is(f.Err, engine.ErrNoAnswer) {
		return []codes.Hint{advice.RestartHint(f.Code)}
	}
	return advice.Hints(seen.Distro, f.Err)
}

func startRemedy(f Finding, seen Seen) []codes.Hint {
	if errors.Is(f.Err, context.DeadlineExceeded) {
		return wedgedRemedy(f, seen)
	}
	return byError(f, seen)
}

func wedgedRemedy(f Finding, _ Seen) []codes.Hint {
	h := advice.FrozenHint()
	h.Code = f.Code
	return []codes.Hint{h}
}

func clockRemedy(f Finding, seen Seen) []codes.Hint {
	return []codes.Hint{
		f.Code.Hint("to set it by the machine's clock", advice.InDistro(seen.Distro, "root", "hwclock", "-s")),
		f.Code.Hint("to have it set, and end every distro", "wsl --shutdown"),
	}
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
		return groupHints(group.Membership)
	}
	return byError(f, seen)
}

func startBridgeRemedy(f Finding, seen Seen) []codes.Hint {
	switch {
	case f.Err != nil:
		return advice.KillHints(seen.Bridge.PID)
	case setup.WrongFiles(setup.RecordedInstallation()) != nil:
		return configRemedy(f, seen)
	case setup.RecordedInstallation() != nil:
		return []codes.Hint{advice.StartAgainHint()}
	}
	return []codes.Hint{advice.NoneHint()}
}

func bridgeRemedy(_ Finding, seen Seen) []codes.Hint {
	return slices.DeleteFunc(slices.Clone(seen.Bridge.Status.Hints), func(h codes.Hint) bool { return h == advice.DoctorHint() })
}

func buildRemedy(f Finding, seen Seen) []codes.Hint {
	return []codes.Hint{f.Code.Hint("to take this build"+again, "docker-wsl-bridge stop"+advice.FlagsOf(seen.Place))}
}

func socketRemedy(f Finding, seen Seen) []codes.Hint {
	return []codes.Hint{f.Code.Hint("to have it made anew"+again, "docker-wsl-bridge stop"+advice.FlagsOf(seen.Place))}
}

func userRemedy(f Finding, seen Seen) []codes.Hint {
	var barred *NotAllowedError
	switch {
	case !errors.As(f.Err, &barred):
		return byError(f, seen)
	case seen.Place.IsInEveryDistro():
		return []codes.Hint{
			f.Code.Hint("to see the number to add to uids of the link", advice.InDistro(seen.Distro, "", "id", "-u", barred.User)),
			f.Code.Hint("to let that user in then, and those of other distros who have the number", "docker-wsl-bridge reload"),
		}
	case barred.GroupToJoin() != "":
		return []codes.Hint{f.Code.Hint("to let that user in, from the next shell on", advice.InDistro(seen.Distro, "root", "usermod", "-aG", barred.GroupToJoin(), barred.User))}
	}
	return []codes.Hint{f.Code.Hint("to make it that user's (then up with --socket-owner "+codes.WindowsWord(barred.User)+")", "docker-wsl-bridge stop"+advice.FlagsOf(seen.Place))}
}

func leftOverRemedy(f Finding, seen Seen) []codes.Hint {
	if seen.Bridge == nil {
		return []codes.Hint{f.Code.Hint("to remove it and make a new one", "docker-wsl-bridge up"+advice.FlagsOf(seen.Place))}
	}
	return socketRemedy(f, seen)
}

func contextRemedy(f Finding, seen Seen) []codes.Hint {
	return []codes.Hint{
		f.Code.Hint("to make a context, so that docker --context "+links.DefaultContext+" goes there whatever else is set", "docker-wsl-bridge context create"+advice.FlagsOf(seen.Place)),
		f.Code.Hint("to lead docker here, in a shell of "+seen.Distro, "export DOCKER_HOST="+codes.ShWord("unix://"+seen.Place.Socket)),
	}
}

func installRemedy(f Finding, _ Seen) []codes.Hint {
	var off *install.OffError
	if errors.As(f.Err, &off) {
		return []codes.Hint{advice.SwitchOnHint(off)}
	}
	return []codes.Hint{f.Code.Hint("to make it right", "docker-wsl-bridge install")}
}

func blockedRemedy(f Finding, _ Seen) []codes.Hint {
	return []codes.Hint{f.Code.Note("ask your administrator to let wsl.exe and docker-wsl-bridge.exe run, by their hash or their path")}
}

func configRemedy(Finding, Seen) []codes.Hint { return []codes.Hint{advice.ConfigCheckHint()} }

// groupHints let the user in, by what is missing.
func groupHints(m Membership) []codes.Hint {
	restart := advice.RestartHint(codes.PipeOpen)
	switch {
	case m.Group == "":
		return advice.AccessHints()
	case !m.Known:
		return []codes.Hint{codes.PipeOpen.Hint("to make the group, as administrator", "net localgroup "+codes.WindowsWord(m.Group)+" /add"), restart, advice.JoinGroupHint(m.Group)}
	case m.Member:
		return []codes.Hint{restart}
	}
	return []codes.Hint{advice.JoinGroupHint(m.Group), codes.PipeOpen.Note("if you are in it already, log off and on: a session has the groups of its beginning")}
}

// discoverHints tell how what was discovered is linked, or what keeps it from being.
func discoverHints(d discovered) []codes.Hint {
	var owned *endpoint.OwnerError
	_, pipe, isPipe := strings.Cut(d.Place, "/pipe/")
	switch {
	case errors.Is(d.err, errNoAgent):
		return append(inDistroHints(d), codes.AgentFits.Hint("to put the agent there, with which discover asks", "docker-wsl-bridge context ls --distro "+codes.WindowsWord(d.Distro)))
	case d.Distro != "" && d.Engine != nil:
		return inDistroHints(d)
	case errors.Is(d.err, errNoPipe):
		return []codes.Hint{codes.ClientLed.Hint("a link of the configuration reaches it, with "+wslcLine+"; to see where that is", "docker-wsl-bridge config path")}
	case d.Distro != "" || !isPipe:
		return nil
	case d.Engine != nil && d.Engine.OSType != "windows":
		return []codes.Hint{codes.EngineWindows.Hint("to link it to a distro, although it runs "+d.Engine.OSType+" containers", "docker-wsl-bridge up --pipe "+codes.WindowsWord(pipe))}
	case d.Engine != nil:
		return []codes.Hint{codes.BridgeRuns.Hint("to link it to a distro", "docker-wsl-bridge up --pipe "+codes.WindowsWord(pipe))}
	case errors.As(d.err, &owned):
		return []codes.Hint{advice.OwnerHint(pipe, owned)}
	case errors.Is(d.err, fs.ErrPermission):
		return advice.AccessHints()
	}
	return nil
}

// wslcLine leads a link to the engine of WSL containers.
const wslcLine = `to = { exec = ["wslc", "system", "session", "run", "docker", "system", "dial-stdio"] }`

// inDistroHints are for an engine of a distro.
func inDistroHints(d discovered) []codes.Hint {
	return []codes.Hint{
		codes.ClientLed.Hint("to use it, in "+d.Distro+" itself", "docker -H "+codes.ShWord("unix://"+strings.TrimPrefix(d.Place, "unix:"))+" version"),
		codes.ClientLed.Hint("programs of Windows reach it by a link of the configuration, from = \"npipe:////./pipe/NAME\" and to = "+codes.TOMLWord(d.Place)+"; to see where that is", "docker-wsl-bridge config path"),
	}
}
