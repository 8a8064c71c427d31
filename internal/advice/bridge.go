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
		return codes.SocketPlace.Hints("docker-wsl-bridge up --socket PATH serves another path, such as /run/docker-wsl-bridge/second.sock")
	case bridge.KindReadOnly, bridge.KindNoSpace, bridge.KindDenied:
		return codes.SocketPlace.Hints("docker-wsl-bridge up --socket PATH serves a path elsewhere, such as under /mnt/wsl")
	case bridge.KindInvalid:
		return codes.SocketPlace.Hints("docker-wsl-bridge up --help tells the form of --socket, --socket-mode and --socket-owner")
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
		return codes.ControlPlace.Hints(owned.Account() + " has made a pipe in your name; docker-wsl-bridge up --socket PATH has another one")
	}
	list := codes.ControlPlace.Hints("this user must be able to write to " + dir + ", and nobody else")
	if runtime.GOOS == "windows" && errors.Is(err, fs.ErrPermission) {
		list = append(list, codes.ControlPlace.Hint("or another user has made the pipe in your name; docker-wsl-bridge up --socket PATH has another one"))
	}
	return list
}

// RunsHints are for a place that a bridge serves already, the installed program or another one.
func RunsHints(s control.Status, installed bool) (list []codes.Hint) {
	l, at, use := s.Link, "", "docker-wsl-bridge status tells how it is"
	if l.Socket != "" {
		at = FlagsOf(l.Place())
	}
	switch {
	case l.Kind != config.Docker || l.Reverse || l.Socket == "":
	case l.Context != "":
		use = "docker --context " + codes.ShWord(l.Context) + " version, in " + l.Served() + ", uses it"
	default:
		use = "docker -H " + codes.ShWord("unix://"+l.Socket) + " version, in " + l.Served() + ", uses it"
	}
	if installed {
		list = codes.PlaceTaken.Hints(use+": it is the installed program, which starts at logon", "docker-wsl-bridge logs -f"+at+" follows what it does")
	}
	if l.Socket == "" {
		return append(list, codes.PlaceTaken.Hints(
			"docker-wsl-bridge status tells how its links are",
			"docker-wsl-bridge reload has it read the configuration again",
			"docker-wsl-bridge stop ends it",
		)...)
	}
	return append(list, codes.PlaceTaken.Hints(
		"docker-wsl-bridge status tells how it is",
		"docker-wsl-bridge stop"+at+" ends it",
		"docker-wsl-bridge up --socket PATH serves another path beside it",
	)...)
}

const (
	FrozenWords   = "wsl --shutdown ends a WSL that stands still, and with it every distro"
	RestartWords  = "restart the engine: net stop docker & net start docker"
	configChecked = "docker-wsl-bridge config check tells all that is wrong"
)

// Hints of one sentence.
func DoctorHint() codes.Hint {
	return codes.BridgeWorks.Hint("docker-wsl-bridge doctor looks for the cause")
}
func NoneHint() codes.Hint { return codes.BridgeRuns.Hint("docker-wsl-bridge up starts one") }
func StartAgainHint() codes.Hint {
	return codes.BridgeRuns.Hint("docker-wsl-bridge start starts it")
}
func DrainsHint() codes.Hint {
	return codes.BridgeRuns.Hint("docker-wsl-bridge stop ends it within 5 s")
}
func ConfigCheckHint() codes.Hint { return codes.Configuration.Hint(configChecked) }
func ConfigPathHint() codes.Hint {
	return codes.Configuration.Hint("docker-wsl-bridge config path tells where the files are, docs/configuration.md what they may have")
}
func ReloadNoneHint() codes.Hint {
	return codes.Configuration.Hint("docker-wsl-bridge up, without flags, serves the configuration if that names links; one that was started otherwise is to be ended first")
}

// ServedHints are for an installation that would serve what another bridge does.
func ServedHints(p control.Place) []codes.Hint {
	return codes.PlaceTaken.Hints("docker-wsl-bridge stop" + FlagsOf(p) + " ends it, then install")
}

// InstalledForAllHint is for users whose logon was before an installation for all of them.
func InstalledForAllHint() codes.Hint {
	return codes.Installed.Hint("docker-wsl-bridge start, in a window of who is logged on already, starts it for that user")
}

// SwitchOnHint is for an installation that somebody has switched off.
func SwitchOnHint(off *install.OffError) codes.Hint { return codes.Installed.Hint(off.Cure) }

// LeftHints remove what uninstall has left: the program that runs it, in its directory; what is in distros that
// don't run; what other users have.
func LeftHints(kept, dir string, stopped, others bool) (list []codes.Hint) {
	if kept != "" {
		list = append(list, codes.Removed.Hint(`cmd /c rmdir /s /q `+codes.WindowsWord(dir)+` removes its file, when it has ended`))
	}
	if stopped {
		list = append(list, codes.Removed.Hint("docker-wsl-bridge uninstall --start-distros starts the distros that don't run, and removes what is there"))
	}
	if others {
		list = append(list, codes.Removed.Hint("docker-wsl-bridge uninstall, with the program of the download in a window of each of these users, removes what is theirs"))
	}
	return list
}

// KillHints are for a bridge that does not answer or does not end.
func KillHints(pid int) []codes.Hint {
	kill := fmt.Sprintf("taskkill /F /PID %d", pid)
	if runtime.GOOS != "windows" {
		kill = fmt.Sprintf("kill -9 %d", pid)
	}
	return codes.BridgeRuns.Hints(kill + " ends it at once, and its connections")
}

// StatusHints are for a bridge that runs and does not work. err is behind the status' words.
func StatusHints(s control.Status, err error) []codes.Hint {
	serving := s.State == string(tunnel.Serving)
	var told *bridge.AgentError
	var inUse *endpoint.InUseError
	var list []codes.Hint
	switch {
	case s.State == string(tunnel.Stopped), s.State == string(tunnel.Unused):
		return codes.DistroRuns.Hints(InDistro(s.Link.Served(), "") + " runs it; it is served again within 10 s")
	case s.Link.Place().Everywhere() && errors.As(err, &told):
		list = codes.SocketPlace.Hints(InDistro(s.Link.Host, "root", "ls", "-la", path.Dir(s.Link.Socket)) + " shows what is in the way; nothing there lives longer than WSL's virtual machine")
	case s.Link.Reverse && errors.As(err, &inUse):
		return codes.SocketPlace.Hints("end the program that has the pipe, or give the link another one: from = \"npipe:////./pipe/NAME\"; docker-wsl-bridge config path tells where")
	case serving && s.EngineError != "" && !Pinged(s.Link):
		list = otherEndHints(s.Link, err)
	case s.Link.Reverse && serving && s.EngineError != "":
		return ReverseHints(s.Link)
	case s.State == string(tunnel.Frozen), serving && s.EngineError == "":
		return codes.WSLWedged.Hints("wait, if the machine has just woken up", FrozenWords)
	case serving && (errors.Is(err, engine.ErrNoAnswer) || errors.Is(err, endpoint.ErrBusy)):
		return codes.EngineAnswers.Hints(RestartWords)
	case err != nil:
		list = Hints(s.Link.Served(), err)
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
		return codes.CommandStarts.Hints("the link's to must name a program that is there and may be run, best by its whole path; docker-wsl-bridge config path tells where that is written")
	case l.Reverse:
		return codes.PipeThere.Hints("start what listens at " + l.Engine + " in " + l.Distro)
	case errors.As(err, &owned):
		return []codes.Hint{OwnerHint("NAME", owned)}
	case errors.Is(err, fs.ErrPermission):
		return codes.PipeOpen.Hints("whoever listens at " + l.Engine + " decides who may connect")
	case errors.Is(err, fs.ErrNotExist):
		return codes.PipeThere.Hints("start what listens at " + l.Engine)
	}
	return nil
}

// ToldHints are the hints of a status, which another process of this program has made.
func ToldHints(s control.Status) []codes.Hint {
	list := make([]codes.Hint, len(s.Hints))
	for i, said := range s.Hints {
		list[i] = codes.BridgeWorks.Read(said)
	}
	return list
}

// Said are hints as a status has them.
func Said(list []codes.Hint) []string {
	words := make([]string, len(list))
	for i, h := range list {
		words[i] = h.String()
	}
	return words
}

// Answers are what clients of a docker link are told when their engine can't be
// reached, by the bridge's reasons: what is wrong and what cures it.
func Answers(engine string) map[string]string {
	return map[string]string{
		bridge.WhyDown:     codes.BridgeRuns.Hint("docker-wsl-bridge has lost its connection to Windows and comes back by itself; if it does not, run on Windows: docker-wsl-bridge status").String(),
		bridge.WhyFrozen:   codes.WSLWedged.Hint("WSL's connection to Windows stands still (is the machine just waking up?); if it stays so, run on Windows: wsl --shutdown").String(),
		bridge.WhyUnknown:  codes.BridgeRuns.Hint("docker-wsl-bridge has just ceased to serve this socket; to see what it serves, run on Windows: docker-wsl-bridge status").String(),
		bridge.WhyNotFound: codes.PipeThere.Hint("the Docker engine of Windows is not running: nobody listens at " + engine + "; on Windows, " + StartHint).String(),
		bridge.WhyDenied:   codes.PipeOpen.Hint("the Docker engine of Windows does not let its user in at " + engine + "; on Windows, " + AccessHint).String(),
		bridge.WhyTimeout:  codes.EngineAnswers.Hint("the Docker engine of Windows takes no connections at " + engine + "; on Windows, restart it: net stop docker & net start docker").String(),
		bridge.WhyLimit:    codes.TooMany.Hint("too many connections to the Docker engine of Windows are open; end some, or run on Windows: docker-wsl-bridge up, for another socket").String(),
		bridge.WhyLinuxPath: codes.ClientPaths.Hint("is in the file system of this Linux distro, which the Docker engine of Windows can't read: it runs as SYSTEM, and WSL shows a distro to its own user alone; " +
			"use a directory of a Windows drive (such as /mnt/c/Users/...), a named volume, or docker cp; or run on Windows: docker-wsl-bridge up --paths off, which passes paths on as they are").String(),
		bridge.WhyUntranslated: codes.ClientPaths.Hint("try again; or, to pass paths on as they are, run on Windows: docker-wsl-bridge up --paths off").String(),
		bridge.WhyStopping:     codes.BridgeRuns.Hint("docker-wsl-bridge is stopping; to have it again, run on Windows: docker-wsl-bridge up").String(),
		bridge.WhyFailed:       codes.BridgeWorks.Hint("the Docker engine of Windows can't be reached at " + engine + "; to see why, run on Windows: docker-wsl-bridge up").String(),
	}
}
