package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// hints say what cures the failure of a command, with what to run. They live
// here and nowhere else.
func hints(err error) []string {
	list := cure(err)
	var failed *failure
	if errors.As(err, &failed) && failed.distro != "" {
		for i := range list {
			list[i] = strings.ReplaceAll(list[i], "DISTRO", failed.distro)
		}
	}
	return list
}

// cure is hints with DISTRO where the distro's name belongs.
func cure(err error) []string {
	var notFound *engine.NotFoundError
	var told *bridge.AgentError
	var owned *endpoint.OwnerError
	var other *bridge.OtherBuildError
	var noise *bridge.NoiseError
	var start *startError
	switch {
	case errors.As(err, &start):
		return []string{"docker-wsl-bridge supervise -- PATH takes the program's whole path"}
	case errors.As(err, &notFound):
		return engineHints(notFound)
	case errors.As(err, &owned):
		return []string{ownerHint("NAME", owned)}
	case errors.As(err, &other):
		return []string{agentHint}
	case errors.As(err, &told):
		return socketHints(told.Kind)
	}
	for _, cure := range cures {
		if errors.Is(err, cure.err) {
			return slices.Clone(cure.hints)
		}
	}
	if errors.As(err, &noise) {
		return []string{execHint}
	}
	return nil
}

// cures are looked through in their order: what a distro says of a file comes
// before what an engine says of its pipe.
var cures = []struct {
	err   error
	hints []string
}{
	{errLegacyOS, []string{"docker-wsl-bridge supervise -- COMMAND keeps a command running here, too"}},
	{errLegacyArgs, []string{`docker-wsl-bridge cli "COMMAND LINE" runs it in this window`, "docker-wsl-bridge --help tells the other commands"}},
	{service.ErrNotStarted, []string{`docker-wsl-bridge cli "COMMAND LINE" runs it in this window`, `sc.exe create NAME binPath= "PATH \"COMMAND LINE\"" makes it a service`, "docker-wsl-bridge --help tells the other commands"}},
	{wsl.ErrNotFound, []string{"wsl --install installs WSL"}},
	{wsl.ErrNotInstalled, []string{"wsl --install installs WSL"}},
	{daemon.ErrNoDistro, []string{"wsl --install -d Debian installs a distro"}},
	{wsl.ErrNoDistro, []string{"wsl --install -d Debian installs a distro"}},
	{wsl.ErrVersion1, []string{"wsl --set-version DISTRO 2 makes it one of WSL 2", "wsl --list --verbose tells the version of each distro"}},
	{wsl.ErrDistroNotFound, []string{"wsl --list --quiet names the distros", "docker-wsl-bridge up --distro NAME takes one of them"}},
	{wsl.ErrExec, []string{execHint}},
	{wsl.ErrEnded, []string{execHint}},
	{deploy.ErrNoAgent, []string{"make build makes a program with both agents inside"}},
	{deploy.ErrNoSpace, []string{"wsl --distro DISTRO df -h /run shows what is full"}},
	{deploy.ErrReadOnly, []string{"wsl --terminate DISTRO starts the distro anew; its /run should be writable"}},
	{deploy.ErrNoExec, []string{"wsl --distro DISTRO --user root mount -o remount,exec /run allows programs there"}},
	{deploy.ErrUnsafe, []string{clearHint}},
	{engine.ErrNotEngine, []string{"docker-wsl-bridge up without --pipe looks for an engine", "docker-wsl-bridge up --kind raw --pipe NAME carries any other byte stream"}},
	{engine.ErrNoAnswer, []string{"docker-wsl-bridge up without --pipe looks for an engine"}},
	{fs.ErrPermission, []string{accessHint}},
	{fs.ErrNotExist, []string{startHint}},
	{context.DeadlineExceeded, []string{"wsl --shutdown ends a WSL that does not answer any more, and with it every distro"}},
}

const (
	execHint   = "wsl --distro DISTRO --user root --exec /bin/sh shows whether programs start there at all"
	clearHint  = "wsl --distro DISTRO --user root rm -r " + deploy.Dir + " removes what is in the way"
	agentHint  = clearHint + "; docker-wsl-bridge up then puts its own agent there"
	accessHint = `the engine lets administrators in, and the group that daemon.json names: add "group": "docker-users" to C:\ProgramData\docker\config\daemon.json, restart the engine, and: net localgroup docker-users %USERNAME% /add`
	startHint  = "start the engine: net start docker, or Docker Desktop in Windows containers mode"
)

func engineHints(e *engine.NotFoundError) []string {
	var out []string
	denied := false
	for _, seen := range e.Seen {
		var owned *endpoint.OwnerError
		if errors.As(seen.Err, &owned) {
			out = append(out, ownerHint(seen.Name, owned))
		}
		denied = denied || errors.Is(seen.Err, fs.ErrPermission)
		if seen.Err == nil {
			out = append(out, "docker-wsl-bridge up --pipe "+seen.Name+" uses that engine although it runs "+seen.Info.OSType+" containers")
		}
	}
	if denied {
		return append(out, accessHint)
	}
	return append(out, startHint)
}

// ownerHint is for the pipe of somebody who is trusted with nothing.
func ownerHint(name string, e *endpoint.OwnerError) string {
	return "it belongs to " + e.Account() + ", who gets all that clients send if you run: docker-wsl-bridge up --pipe " + name + " --trust-pipe-owner"
}

func socketHints(kind bridge.Kind) []string {
	switch kind {
	case bridge.KindInUse, bridge.KindFailed:
		return []string{"docker-wsl-bridge up --socket PATH serves another path, such as /run/docker-wsl-bridge/second.sock"}
	case bridge.KindReadOnly, bridge.KindNoSpace, bridge.KindDenied:
		return []string{"docker-wsl-bridge up --socket PATH serves a path elsewhere, such as under /mnt/wsl"}
	case bridge.KindInvalid:
		return []string{"docker-wsl-bridge up --help tells the form of --socket, --socket-mode and --socket-owner"}
	}
	return nil
}

// answers are what clients of a docker link are told when their engine can't be
// reached, by the bridge's reasons: what is wrong and what cures it.
func answers(engine string) map[string]string {
	return map[string]string{
		bridge.WhyFrozen:   "WSL's connection to Windows stands still (is the machine just waking up?); if it stays so, run on Windows: wsl --shutdown",
		bridge.WhyNotFound: "the Docker engine of Windows is not running: nobody listens at " + engine + "; on Windows, " + startHint,
		bridge.WhyDenied:   "the Docker engine of Windows does not let its user in at " + engine + "; on Windows, " + accessHint,
		bridge.WhyTimeout:  "the Docker engine of Windows takes no connections at " + engine + "; on Windows, restart it: net stop docker & net start docker",
		bridge.WhyLimit:    "too many connections to the Docker engine of Windows are open; end some, or run on Windows: docker-wsl-bridge up, for another socket",
		bridge.WhyStopping: "docker-wsl-bridge is stopping; to have it again, run on Windows: docker-wsl-bridge up",
		bridge.WhyFailed:   "the Docker engine of Windows can't be reached at " + engine + "; to see why, run on Windows: docker-wsl-bridge up",
	}
}
