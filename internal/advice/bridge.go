package advice

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

func socketHints(kind bridge.Kind) []codes.Hint {
	switch kind {
	case bridge.KindInUse, bridge.KindFailed:
		return []codes.Hint{codes.SocketPlace.Hint("to serve another path, such as /run/docker-wsl-bridge/second.sock", "docker-wsl-bridge up --socket PATH")}
	case bridge.KindReadOnly, bridge.KindNoSpace, bridge.KindDenied:
		return []codes.Hint{codes.SocketPlace.Hint("to serve a path elsewhere, such as under /mnt/wsl", "docker-wsl-bridge up --socket PATH")}
	case bridge.KindInvalid:
		return []codes.Hint{codes.SocketPlace.Hint("to see the form of --socket, --socket-mode and --socket-owner", "docker-wsl-bridge up --help")}
	}
	return nil
}

// OpenHints are for a bridge that can't become the one for its place. dir is where it would say so; installed tells
// whether a program is the installed one.
func OpenHints(err error, dir string, installed func(program string) bool) []codes.Hint {
	var runs *control.RunsError
	var owned *endpoint.OwnerError
	switch {
	case errors.As(err, &runs):
		return RunsHints(runs.Status, installed(runs.Status.Program))
	case errors.As(err, &owned):
		return []codes.Hint{codes.ControlPlace.Hint(owned.AccountName()+" has made a pipe in your name; to have another one", "docker-wsl-bridge up --socket PATH")}
	}
	list := []codes.Hint{codes.ControlPlace.Note("this user must be able to write to " + dir + ", and nobody else")}
	if runtime.GOOS == "windows" && errors.Is(err, fs.ErrPermission) {
		list = append(list, codes.ControlPlace.Hint("or another user has made the pipe in your name; to have another one", "docker-wsl-bridge up --socket PATH"))
	}
	return list
}

// RunsHints are for a place that a bridge serves already, the installed program or another one.
func RunsHints(s control.Status, installed bool) (list []codes.Hint) {
	l, at := s.Link, ""
	use := codes.PlaceTaken.Hint("to see how it is", "docker-wsl-bridge status")
	if l.Socket != "" {
		at = FlagsOf(l.PlaceOf())
	}
	switch {
	case l.Kind != config.Docker || l.Reverse || l.Socket == "":
	case l.Context != "":
		use = codes.PlaceTaken.Hint("to use it, in "+l.ServedDistro(), "docker --context "+codes.ShWord(l.Context)+" version")
	default:
		use = codes.PlaceTaken.Hint("to use it, in "+l.ServedDistro(), "docker -H "+codes.ShWord("unix://"+l.Socket)+" version")
	}
	if installed {
		use.Text = "it is the installed program, which starts at logon; " + use.Text
		list = append(list, use, codes.PlaceTaken.Hint("to follow what it does", "docker-wsl-bridge logs -f"+at))
	}
	if l.Socket == "" {
		return append(list,
			codes.PlaceTaken.Hint("to see how its links are", "docker-wsl-bridge status"),
			codes.PlaceTaken.Hint("to have it read the configuration again", "docker-wsl-bridge reload"),
			codes.PlaceTaken.Hint("to end it", "docker-wsl-bridge stop"),
		)
	}
	return append(list,
		codes.PlaceTaken.Hint("to see how it is", "docker-wsl-bridge status"),
		codes.PlaceTaken.Hint("to end it", "docker-wsl-bridge stop"+at),
		codes.PlaceTaken.Hint("to serve another path beside it", "docker-wsl-bridge up --socket PATH"),
	)
}

// Hints of one sentence.
func DoctorHint() codes.Hint {
	return codes.BridgeWorks.Hint("to look for the cause", "docker-wsl-bridge doctor")
}
func NoneHint() codes.Hint { return codes.BridgeRuns.Hint("to start one", "docker-wsl-bridge up") }
func StartAgainHint() codes.Hint {
	return codes.BridgeRuns.Hint("to start it", "docker-wsl-bridge start")
}
func DrainsHint() codes.Hint {
	return codes.BridgeRuns.Hint("to end it within 5 s", "docker-wsl-bridge stop")
}
func ConfigCheckHint() codes.Hint {
	return codes.Configuration.Hint("to see all that is wrong", "docker-wsl-bridge config check")
}
func ConfigPathHint() codes.Hint {
	return codes.Configuration.Hint("docs/configuration.md tells what the files may have; to see where they are", "docker-wsl-bridge config path")
}
func ReloadNoneHint() codes.Hint {
	return codes.Configuration.Hint("a bridge that was started otherwise is to be ended first; to serve the configuration, if it names links", "docker-wsl-bridge up")
}

// ServedHints are for an installation that would serve what another bridge does.
func ServedHints(p control.Place) []codes.Hint {
	return []codes.Hint{codes.PlaceTaken.Hint("to end it before install is repeated", "docker-wsl-bridge stop"+FlagsOf(p))}
}

// InstalledForAllHint is for users whose logon was before an installation for all of them.
func InstalledForAllHint() codes.Hint {
	return codes.Installed.Hint("to start it for a user who is logged on already, in a window of that user", "docker-wsl-bridge start")
}

// SwitchOnHint is for an installation that somebody has switched off.
func SwitchOnHint(off *install.OffError) codes.Hint {
	return codes.Installed.Hint(off.Purpose, off.Command)
}

// LeftHints remove what uninstall has left: the program that runs it, in its directory; what is in distros that
// don't run; what other users have.
func LeftHints(kept, dir string, stopped, others bool) (list []codes.Hint) {
	if kept != "" {
		list = append(list, codes.Removed.Hint("to remove its file, when it has ended", `cmd /c rmdir /s /q `+codes.WindowsWord(dir)))
	}
	if stopped {
		list = append(list, codes.Removed.Hint("to start the distros that don't run, and remove what is there", "docker-wsl-bridge uninstall --start-distros"))
	}
	if others {
		list = append(list, codes.Removed.Hint("to remove what is theirs, with the program of the download in a window of each of these users", "docker-wsl-bridge uninstall"))
	}
	return list
}

// KillHints are for a bridge that does not answer or does not end.
func KillHints(pid int) []codes.Hint {
	kill := fmt.Sprintf("taskkill /F /PID %d", pid)
	if runtime.GOOS != "windows" {
		kill = fmt.Sprintf("kill -9 %d", pid)
	}
	return []codes.Hint{codes.BridgeRuns.Hint("to end it at once, and its connections", kill)}
}

// StatusHints are for a bridge that runs and does not work. err is behind the status' words.
func StatusHints(s control.Status, err error) []codes.Hint {
	serving := s.State == string(tunnel.Serving)
	var told *bridge.AgentError
	var inUse *endpoint.InUseError
	var list []codes.Hint
	switch {
	case s.State == string(tunnel.Stopped), s.State == string(tunnel.Unused):
		return []codes.Hint{codes.DistroRuns.Hint("to have the distro run, and served again within 10 s", InDistro(s.Link.ServedDistro(), ""))}
	case s.Link.PlaceOf().IsInEveryDistro() && errors.As(err, &told):
		list = []codes.Hint{codes.SocketPlace.Hint("nothing there lives longer than WSL's virtual machine; to see what is in the way", InDistro(s.Link.Host, "root", "ls", "-la", path.Dir(s.Link.Socket)))}
	case s.Link.Reverse && errors.As(err, &inUse):
		return []codes.Hint{codes.SocketPlace.Hint("end the program that has the pipe, or give the link another one, from = \"npipe:////./pipe/NAME\"; to see where that is written", "docker-wsl-bridge config path")}
	case serving && s.EngineError != "" && !Pinged(s.Link):
		list = otherEndHints(s.Link, err)
	case s.Link.Reverse && serving && s.EngineError != "":
		return ReverseHints(s.Link)
	case s.State == string(tunnel.Frozen), serving && s.EngineError == "":
		return []codes.Hint{codes.WSLWedged.Note("wait, if the machine has just woken up"), FrozenHint()}
	case serving && (errors.Is(err, engine.ErrNoAnswer) || errors.Is(err, endpoint.ErrBusy)):
		return []codes.Hint{RestartHint(codes.EngineAnswers)}
	case err != nil:
		list = Hints(s.Link.ServedDistro(), err)
	}
	return append(list, DoctorHint())
}

// Pinged tells a link whose engine is asked who it is.
func Pinged(l control.Link) bool { return l.Kind == config.Docker && !l.IsCommand() }

// otherEndHints are for a raw link, or one to a command, that leads to nothing.
func otherEndHints(l control.Link, err error) []codes.Hint {
	var owned *endpoint.OwnerError
	switch {
	case l.IsCommand():
		return []codes.Hint{codes.CommandStarts.Hint("the link's to must name a program that is there and may be run, best by its whole path; to see where that is written", "docker-wsl-bridge config path")}
	case l.Reverse:
		return []codes.Hint{codes.PipeThere.Note("start what listens at " + l.Engine + " in " + l.Distro)}
	case errors.As(err, &owned):
		return []codes.Hint{OwnerHint("NAME", owned)}
	case errors.Is(err, fs.ErrPermission):
		return []codes.Hint{codes.PipeOpen.Note("the program that listens at " + l.Engine + " decides who may connect")}
	case errors.Is(err, fs.ErrNotExist):
		return []codes.Hint{codes.PipeThere.Note("start what listens at " + l.Engine)}
	}
	return nil
}

// Answers are what clients of a docker link are told when their engine can't be
// reached, by the bridge's reasons: what is wrong and what cures it.
func Answers(engine string) map[string]string {
	const on = "run on Windows: docker-wsl-bridge "
	return map[string]string{
		bridge.WhyDown:     codes.BridgeRuns.Message("docker-wsl-bridge has lost its connection to Windows and comes back by itself; if it does not, " + on + "status"),
		bridge.WhyFrozen:   codes.WSLWedged.Message("WSL's connection to Windows stands still (is the machine just waking up?); if it stays so, run on Windows: wsl --shutdown"),
		bridge.WhyUnknown:  codes.BridgeRuns.Message("docker-wsl-bridge has just ceased to serve this socket; to see what it serves, " + on + "status"),
		bridge.WhyNotFound: codes.PipeThere.Message("the Docker engine of Windows is not running: nobody listens at " + engine + "; start Docker Desktop in Windows containers mode, or run on Windows: net start docker"),
		bridge.WhyDenied:   codes.PipeOpen.Message("the Docker engine of Windows does not let its user in at " + engine + "; to see what lets that user in, " + on + "doctor"),
		bridge.WhyTimeout:  codes.EngineAnswers.Message("the Docker engine of Windows takes no connections at " + engine + "; to restart it, run on Windows: " + RestartHint(codes.EngineAnswers).Command),
		bridge.WhyLimit:    codes.TooMany.Message("too many connections to the Docker engine of Windows are open; end some, or, for another socket, " + on + "up --socket PATH"),
		bridge.WhyLinuxPath: codes.ClientPaths.Message("is in the file system of this Linux distro, which the Docker engine of Windows can't read: it runs as SYSTEM, and WSL shows a distro to its own user alone; " +
			"use a directory of a Windows drive (such as /mnt/c/Users/...), a named volume, or docker cp; or, to pass paths on as they are, " + on + "up --paths off"),
		bridge.WhyUntranslated: codes.ClientPaths.Message("try again; or, to pass paths on as they are, " + on + "up --paths off"),
		bridge.WhyStopping:     codes.BridgeRuns.Message("docker-wsl-bridge is stopping; to have it again, " + on + "up"),
		bridge.WhyFailed:       codes.BridgeWorks.Message("the Docker engine of Windows can't be reached at " + engine + "; to see why, " + on + "doctor"),
	}
}
