// Package advice has every remedy: from an error or a status to hints, each a sentence with a command and a
// code. What a client of a broken link is told is made here, too.
//
// It looks at nothing itself: what a remedy depends on is handed in.
//
// Law: no hint without a code, and no text of a hint anywhere else.
package advice

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/top"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// Hints say what cures the failure of a command, with what to run. distro is the one that it was about,
// empty if it has not come to that. They live here and nowhere else.
func Hints(distro string, err error) []codes.Hint {
	var knows *Error
	if errors.As(err, &knows) {
		return knows.hints
	}
	var stays *control.StopError
	if errors.As(err, &stays) {
		return KillHints(stays.PID)
	}
	list := cure(err)
	if distro != "" {
		for i := range list {
			list[i] = list[i].InDistro(distro)
		}
	}
	return list
}

// Error is an error of which it was known where it happened what cures it.
type Error struct {
	error
	hints []codes.Hint
}

func (a *Error) Unwrap() error { return a.error }

// With gives an error of which it is known what cures it.
func With(err error, list []codes.Hint) error { return &Error{err, list} }

// cure is hints with DISTRO where the distro's name belongs.
func cure(err error) []codes.Hint {
	var notFound *engine.NotFoundError
	var told *bridge.AgentError
	var owned *endpoint.OwnerError
	var other *bridge.OtherBuildError
	var noise *bridge.NoiseError
	var named *distro.ContextError
	var problem *dockercontext.ProblemError
	switch {
	case errors.As(err, &named), errors.As(err, &problem):
		return ContextHints("DISTRO", err)
	case errors.Is(err, ErrNoStart):
		return []codes.Hint{codes.CommandStarts.Hint("to name the program by its whole path", "docker-wsl-bridge supervise -- PATH")}
	case errors.As(err, &notFound):
		return engineHints(notFound)
	case errors.As(err, &owned):
		return []codes.Hint{OwnerHint("NAME", owned)}
	case errors.As(err, &other):
		return []codes.Hint{codes.AgentFits.Hint("to remove what is in the way, so that the next up puts its own agent there", clearAgent.Command)}
	case errors.As(err, &told):
		return socketHints(told.Kind)
	}
	for _, cure := range cures {
		if errors.Is(err, cure.err) {
			return slices.Clone(cure.hints)
		}
	}
	if errors.As(err, &noise) {
		return []codes.Hint{tryExec}
	}
	return nil
}

// ServiceHints are for a service that Windows has refused.
func ServiceHints() []codes.Hint {
	return []codes.Hint{
		codes.MayInstall.Hint("to do without a service, for this user", "docker-wsl-bridge install --user"),
		codes.MayInstall.Hint("to remove what was copied", "docker-wsl-bridge uninstall"),
	}
}

// UsageHints are for a wrong command line.
func UsageHints(command string) []codes.Hint {
	return []codes.Hint{codes.CommandLine.Hint("to see its flags", command+" --help")}
}

// ErrNoStart says that a command can't be started at all.
var ErrNoStart = errors.New("the command does not start")

// Hints that several failures share.
var (
	serveUp      = codes.WindowsOnly.Hint("to serve the socket until Ctrl-C", "docker-wsl-bridge up")
	chooseDistro = codes.DistroThere.Hint("to take one of them", "docker-wsl-bridge up --distro NAME")
	otherDistro  = codes.DistroThere.Hint("to take another distro", "docker-wsl-bridge up --distro NAME")
	getDistro    = codes.DistroThere.Hint("to install a distro", "wsl --install -d Debian")
	getWSL       = codes.WSLThere.Hint("to install WSL", "wsl --install")
	tryExec      = codes.DistroStarts.Hint("to see whether programs start in the distro at all", "wsl --distro DISTRO --user root --exec /bin/sh")
	clearAgent   = codes.AgentFits.Hint("to remove what is in the way", "wsl --distro DISTRO --user root rm -r "+deploy.Dir)
	findEngine   = codes.EngineAnswers.Hint("to look for an engine", "docker-wsl-bridge up")
	cliInstead   = codes.EarlierForm.Hint("to run it in this window", `docker-wsl-bridge cli "COMMAND LINE"`)
	otherForms   = codes.EarlierForm.Hint("to see the other commands", "docker-wsl-bridge --help")
)

// withCode is a hint under another code.
func withCode(c codes.Code, h codes.Hint) codes.Hint {
	h.Code = c
	return h
}

// cures are looked through in their order: what a distro says of a file comes
// before what an engine says of its pipe.
var cures = []struct {
	err   error
	hints []codes.Hint
}{
	{ErrWindowsOnly, []codes.Hint{serveUp}},
	{ErrNotInstalled, []codes.Hint{codes.Installed.Hint("to start it now and at every logon", "docker-wsl-bridge install"), withCode(codes.Installed, serveUp)}},
	{ErrOtherForm, []codes.Hint{codes.Installed.Hint("to remove that first", "docker-wsl-bridge uninstall")}},
	{ErrNeedsAdmin, []codes.Hint{codes.MayInstall.Note("repeat it in a window that was opened with \"Run as administrator\"")}},
	{ErrNotYours, []codes.Hint{
		codes.MayInstall.Hint("to install it for the desktop's user, in a window of that user that is not elevated", "docker-wsl-bridge install"),
		codes.MayInstall.Hint("to install the service for every user", "docker-wsl-bridge install --all-users"),
	}},
	{install.ErrLongRun, []codes.Hint{
		codes.MayInstall.Hint("to write what the flags say into a configuration, with which install needs none", "docker-wsl-bridge config init"),
		codes.MayInstall.Hint("to do without the Run key", "docker-wsl-bridge install --at-logon task"),
	}},
	{ErrSeveral, []codes.Hint{
		codes.WhichBridge.Hint("to name one of them", "docker-wsl-bridge env --socket PATH"),
		codes.WhichBridge.Hint("to see which there are", "docker-wsl-bridge status"),
	}},
	{ErrNoPrograms, []codes.Hint{codes.Installed.Note("keep docker-wsl-bridge.exe and docker-wsl-bridgew.exe of the download in one directory")}},
	{ErrNotUp, []codes.Hint{
		codes.ComesUp.Hint("to see what happened", "docker-wsl-bridge logs"),
		codes.ComesUp.Hint("to see what is wrong, in a window", "docker-wsl-bridge up"),
	}},
	{ErrLegacyOS, []codes.Hint{codes.WindowsOnly.Hint("to keep a command running here, too", "docker-wsl-bridge supervise -- COMMAND")}},
	{ErrLegacyArgs, []codes.Hint{cliInstead, otherForms}},
	{service.ErrNotStarted, []codes.Hint{cliInstead, codes.EarlierForm.Hint("to make it a service", `sc.exe create NAME binPath= "PATH \"COMMAND LINE\""`), otherForms}},
	{top.ErrNoTerminal, []codes.Hint{codes.CommandLine.Hint("to print the table once", "docker-wsl-bridge top --once")}},
	{wsl.ErrNotFound, []codes.Hint{getWSL}},
	{wsl.ErrNotInstalled, []codes.Hint{withCode(codes.WSLAnswers, getWSL)}},
	{wsl.ErrMustUpdate, []codes.Hint{codes.WSLAnswers.Hint("to update WSL", "wsl --update")}},
	{wsl.ErrBroken, []codes.Hint{codes.WSLAnswers.Hint("to repair WSL, which asks for a key in its window", "wsl --update")}},
	{wsl.ErrWaits, []codes.Hint{codes.WSLAnswers.Hint("to see what it waits for, in a window", "wsl --status")}},
	{distro.ErrNoDefault, []codes.Hint{codes.DistroThere.Hint("to make a distro the default one", "wsl --set-default NAME"), chooseDistro}},
	{wsl.ErrName, []codes.Hint{otherDistro}},
	{wsl.ErrRow, []codes.Hint{codes.DistroThere.Hint("to see the table", "wsl --list --verbose"), otherDistro}},
	{distro.ErrNoDistro, []codes.Hint{getDistro}},
	{wsl.ErrNoDistro, []codes.Hint{getDistro}},
	{wsl.ErrVersion1, []codes.Hint{
		codes.DistroIsWSL2.Hint("to make it a distro of WSL 2", "wsl --set-version DISTRO 2"),
		codes.DistroIsWSL2.Hint("to see the version of each distro", "wsl --list --verbose"),
	}},
	{wsl.ErrDistroNotFound, []codes.Hint{codes.DistroThere.Hint("to see the distros", "wsl --list --quiet"), chooseDistro}},
	{wsl.ErrExec, []codes.Hint{tryExec}},
	{wsl.ErrEnded, []codes.Hint{tryExec}},
	{deploy.ErrNoAgent, []codes.Hint{codes.AgentFits.Hint("to make a program with both agents inside", "make build")}},
	{deploy.ErrNoSpace, []codes.Hint{codes.AgentFits.Hint("to see what is full", "wsl --distro DISTRO df -h /run")}},
	{deploy.ErrReadOnly, []codes.Hint{codes.AgentFits.Hint("to start the distro anew, whose /run should be writable", "wsl --terminate DISTRO")}},
	{deploy.ErrNoExec, []codes.Hint{codes.AgentFits.Hint("to allow programs there", "wsl --distro DISTRO --user root mount -o remount,exec /run")}},
	{deploy.ErrUnsafe, []codes.Hint{clearAgent}},
	{engine.ErrNotEngine, []codes.Hint{findEngine, codes.EngineAnswers.Hint("to carry any other byte stream", "docker-wsl-bridge up --kind raw --pipe NAME")}},
	{engine.ErrNoAnswer, []codes.Hint{findEngine}},
	{fs.ErrPermission, AccessHints()},
	{fs.ErrNotExist, []codes.Hint{StartHint()}},
	{context.DeadlineExceeded, []codes.Hint{codes.WSLAnswers.Hint("to end a WSL that does not answer any more, and with it every distro", "wsl --shutdown")}},
}

// AccessHints let this user in at the engine's pipe.
func AccessHints() []codes.Hint {
	return []codes.Hint{
		codes.PipeOpen.Note(`the engine lets administrators in, and the group that daemon.json names: add "group": "docker-users" to C:\ProgramData\docker\config\daemon.json, and restart the engine`),
		JoinGroupHint("docker-users"),
	}
}

// JoinGroupHint lets this user in at the engine's pipe.
func JoinGroupHint(group string) codes.Hint {
	return codes.PipeOpen.Hint("to let this user in from the next logon on, as administrator", `cmd /c net localgroup `+codes.WindowsWord(group)+` "%USERNAME%" /add`)
}

// StartHint starts the engine.
func StartHint() codes.Hint {
	return codes.PipeThere.Hint("to start an engine that is a service (Docker Desktop: switch to Windows containers)", "net start docker")
}

// RestartHint restarts an engine that hangs, or has not read its configuration.
func RestartHint(c codes.Code) codes.Hint {
	return c.Hint("to restart the engine, as administrator", `cmd /c "net stop docker & net start docker"`)
}

// FrozenHint ends a WSL that stands still.
func FrozenHint() codes.Hint {
	return codes.WSLWedged.Hint("to end a WSL that stands still, and with it every distro", "wsl --shutdown")
}

func engineHints(e *engine.NotFoundError) []codes.Hint {
	var out []codes.Hint
	denied := false
	for _, seen := range e.Seen {
		var owned *endpoint.OwnerError
		if errors.As(seen.Err, &owned) {
			out = append(out, OwnerHint(seen.Name, owned))
		}
		denied = denied || errors.Is(seen.Err, fs.ErrPermission)
		if seen.Err == nil {
			out = append(out, codes.EngineWindows.Hint("to use that engine although it runs "+seen.Info.OSType+" containers", "docker-wsl-bridge up --pipe "+codes.WindowsWord(seen.Name)))
		}
	}
	if denied {
		return append(out, AccessHints()...)
	}
	return append(out, StartHint())
}

// OwnerHint is for the pipe of somebody who is trusted with nothing.
func OwnerHint(name string, e *endpoint.OwnerError) codes.Hint {
	return codes.PipeOpen.Hint("the pipe belongs to "+e.AccountName()+"; to let that account see all that clients send", "docker-wsl-bridge up --pipe "+codes.WindowsWord(name)+" --trust-pipe-owner")
}

// ReplaceHints are for a service of our name that is another program's.
func ReplaceHints() []codes.Hint {
	return []codes.Hint{codes.MayInstall.Hint("to remove it and take its place", "docker-wsl-bridge install --replace")}
}
