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
			list[i] = list[i].In(codes.WindowsWord(distro))
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
		return codes.CommandStarts.Hints("docker-wsl-bridge supervise -- PATH takes the program's whole path")
	case errors.As(err, &notFound):
		return engineHints(notFound)
	case errors.As(err, &owned):
		return []codes.Hint{OwnerHint("NAME", owned)}
	case errors.As(err, &other):
		return codes.AgentFits.Hints(agentHint)
	case errors.As(err, &told):
		return socketHints(told.Kind)
	}
	for _, cure := range cures {
		if errors.Is(err, cure.err) {
			return cure.code.Hints(cure.hints...)
		}
	}
	if errors.As(err, &noise) {
		return codes.DistroStarts.Hints(execHint)
	}
	return nil
}

// ServiceHints are for a service that Windows has refused.
func ServiceHints() []codes.Hint {
	return codes.MayInstall.Hints("docker-wsl-bridge install --user does without a service, for this user", "docker-wsl-bridge uninstall removes what was copied")
}

// UsageHints are for a wrong command line.
func UsageHints(command string) []codes.Hint { return codes.CommandLine.Hints(command + " --help") }

// ErrNoStart says that a command can't be started at all.
var ErrNoStart = errors.New("the command does not start")

// cures are looked through in their order: what a distro says of a file comes
// before what an engine says of its pipe.
var cures = []struct {
	err   error
	code  codes.Code
	hints []string
}{
	{ErrWindowsOnly, codes.WindowsOnly, []string{"docker-wsl-bridge up serves the socket until Ctrl-C"}},
	{ErrNotInstalled, codes.Installed, []string{"docker-wsl-bridge install has it start at logon", "docker-wsl-bridge up serves the socket until Ctrl-C"}},
	{ErrOtherForm, codes.Installed, []string{"docker-wsl-bridge uninstall removes that first"}},
	{ErrNeedsAdmin, codes.MayInstall, []string{"repeat it in a window that was opened with \"Run as administrator\""}},
	{ErrNotYours, codes.MayInstall, []string{"docker-wsl-bridge install, in a window of the desktop's user that is not elevated", "docker-wsl-bridge install --all-users installs the service for every user"}},
	{install.ErrLongRun, codes.MayInstall, []string{"docker-wsl-bridge config init makes a configuration, which takes what the flags say; install then needs none", "docker-wsl-bridge install --at-logon task does without the Run key"}},
	{ErrSeveral, codes.WhichBridge, []string{"docker-wsl-bridge env --socket PATH names one of them", "docker-wsl-bridge status tells which there are"}},
	{ErrNoPrograms, codes.Installed, []string{"keep docker-wsl-bridge.exe and docker-wsl-bridgew.exe of the download in one directory"}},
	{ErrNotUp, codes.ComesUp, []string{"docker-wsl-bridge logs tells what happened", "docker-wsl-bridge up, in a window, tells what is wrong"}},
	{ErrLegacyOS, codes.WindowsOnly, []string{"docker-wsl-bridge supervise -- COMMAND keeps a command running here, too"}},
	{ErrLegacyArgs, codes.EarlierForm, []string{`docker-wsl-bridge cli "COMMAND LINE" runs it in this window`, "docker-wsl-bridge --help tells the other commands"}},
	{service.ErrNotStarted, codes.EarlierForm, []string{`docker-wsl-bridge cli "COMMAND LINE" runs it in this window`, `sc.exe create NAME binPath= "PATH \"COMMAND LINE\"" makes it a service`, "docker-wsl-bridge --help tells the other commands"}},
	{top.ErrNoTerminal, codes.CommandLine, []string{"docker-wsl-bridge top --once prints the table once"}},
	{wsl.ErrNotFound, codes.WSLThere, []string{"wsl --install installs WSL"}},
	{wsl.ErrNotInstalled, codes.WSLAnswers, []string{"wsl --install installs WSL"}},
	{wsl.ErrMustUpdate, codes.WSLAnswers, []string{"wsl --update updates WSL"}},
	{wsl.ErrBroken, codes.WSLAnswers, []string{"wsl --update, in a window, asks for a key and repairs WSL"}},
	{wsl.ErrWaits, codes.WSLAnswers, []string{"wsl --status, in a window, shows what it waits for"}},
	{distro.ErrNoDefault, codes.DistroThere, []string{"wsl --set-default NAME makes a distro the default one", "docker-wsl-bridge up --distro NAME takes one of them"}},
	{wsl.ErrName, codes.DistroThere, []string{"docker-wsl-bridge up --distro NAME takes another distro"}},
	{wsl.ErrRow, codes.DistroThere, []string{"wsl --list --verbose shows the table", "docker-wsl-bridge up --distro NAME takes another distro"}},
	{distro.ErrNoDistro, codes.DistroThere, []string{"wsl --install -d Debian installs a distro"}},
	{wsl.ErrNoDistro, codes.DistroThere, []string{"wsl --install -d Debian installs a distro"}},
	{wsl.ErrVersion1, codes.DistroIsWSL2, []string{"wsl --set-version DISTRO 2 makes it one of WSL 2", "wsl --list --verbose tells the version of each distro"}},
	{wsl.ErrDistroNotFound, codes.DistroThere, []string{"wsl --list --quiet names the distros", "docker-wsl-bridge up --distro NAME takes one of them"}},
	{wsl.ErrExec, codes.DistroStarts, []string{execHint}},
	{wsl.ErrEnded, codes.DistroStarts, []string{execHint}},
	{deploy.ErrNoAgent, codes.AgentFits, []string{"make build makes a program with both agents inside"}},
	{deploy.ErrNoSpace, codes.AgentFits, []string{"wsl --distro DISTRO df -h /run shows what is full"}},
	{deploy.ErrReadOnly, codes.AgentFits, []string{"wsl --terminate DISTRO starts the distro anew; its /run should be writable"}},
	{deploy.ErrNoExec, codes.AgentFits, []string{"wsl --distro DISTRO --user root mount -o remount,exec /run allows programs there"}},
	{deploy.ErrUnsafe, codes.AgentFits, []string{clearHint}},
	{engine.ErrNotEngine, codes.EngineAnswers, []string{"docker-wsl-bridge up without --pipe looks for an engine", "docker-wsl-bridge up --kind raw --pipe NAME carries any other byte stream"}},
	{engine.ErrNoAnswer, codes.EngineAnswers, []string{"docker-wsl-bridge up without --pipe looks for an engine"}},
	{fs.ErrPermission, codes.PipeOpen, []string{AccessHint}},
	{fs.ErrNotExist, codes.PipeThere, []string{StartHint}},
	{context.DeadlineExceeded, codes.WSLAnswers, []string{"wsl --shutdown ends a WSL that does not answer any more, and with it every distro"}},
}

const (
	execHint   = "wsl --distro DISTRO --user root --exec /bin/sh shows whether programs start there at all"
	clearHint  = "wsl --distro DISTRO --user root rm -r " + deploy.Dir + " removes what is in the way"
	agentHint  = clearHint + "; docker-wsl-bridge up then puts its own agent there"
	AccessHint = `the engine lets administrators in, and the group that daemon.json names: add "group": "docker-users" to C:\ProgramData\docker\config\daemon.json, restart the engine, and: net localgroup docker-users %USERNAME% /add`
	StartHint  = "start the engine: net start docker, or Docker Desktop in Windows containers mode"
)

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
			out = append(out, codes.EngineWindows.Hint("docker-wsl-bridge up --pipe "+codes.WindowsWord(seen.Name)+" uses that engine although it runs "+seen.Info.OSType+" containers"))
		}
	}
	if denied {
		return append(out, codes.PipeOpen.Hint(AccessHint))
	}
	return append(out, codes.PipeThere.Hint(StartHint))
}

// OwnerHint is for the pipe of somebody who is trusted with nothing.
func OwnerHint(name string, e *endpoint.OwnerError) codes.Hint {
	return codes.PipeOpen.Hint("it belongs to " + e.Account() + ", who gets all that clients send if you run: docker-wsl-bridge up --pipe " + codes.WindowsWord(name) + " --trust-pipe-owner")
}

// ReplaceHints are for a service of our name that is another program's.
func ReplaceHints() []codes.Hint {
	return codes.MayInstall.Hints("docker-wsl-bridge install --replace removes it, and takes its place")
}
