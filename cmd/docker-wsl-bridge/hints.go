package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/doctor"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/top"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// hints say what cures the failure of a command, with what to run. They live
// here and nowhere else.
func hints(err error) []string {
	var knows *advised
	if errors.As(err, &knows) {
		return knows.hints
	}
	list := cure(err)
	var failed *failure
	if errors.As(err, &failed) && failed.distro != "" {
		for i := range list {
			list[i] = strings.ReplaceAll(list[i], "DISTRO", failed.distro)
		}
	}
	return list
}

// advised is an error of which it was known where it happened what cures it.
type advised struct {
	error
	hints []string
}

func (a *advised) Unwrap() error { return a.error }

// cure is hints with DISTRO where the distro's name belongs.
func cure(err error) []string {
	var notFound *engine.NotFoundError
	var told *bridge.AgentError
	var owned *endpoint.OwnerError
	var other *bridge.OtherBuildError
	var noise *bridge.NoiseError
	var start *startError
	var named *contextError
	var problem *dockercontext.ProblemError
	switch {
	case errors.Is(err, top.ErrNoTerminal):
		return []string{"docker-wsl-bridge top --once prints the table once"}
	case errors.As(err, &named), errors.As(err, &problem):
		return contextHints("DISTRO", err)
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

// serviceHints are for a service that Windows has refused.
var serviceHints = []string{"docker-wsl-bridge install --user does without a service, for this user", "docker-wsl-bridge uninstall removes what was copied"}

// cures are looked through in their order: what a distro says of a file comes
// before what an engine says of its pipe.
var cures = []struct {
	err   error
	hints []string
}{
	{errWindowsOnly, []string{"docker-wsl-bridge up serves the socket until Ctrl-C"}},
	{errNotInstalled, []string{"docker-wsl-bridge install has it start at logon", "docker-wsl-bridge up serves the socket until Ctrl-C"}},
	{errOtherForm, []string{"docker-wsl-bridge uninstall removes that first"}},
	{errNeedsAdmin, []string{"repeat it in a window that was opened with \"Run as administrator\""}},
	{errNotYours, []string{"docker-wsl-bridge install, in a window of the desktop's user that is not elevated", "docker-wsl-bridge install --all-users installs the service for every user"}},
	{errSeveral, []string{"docker-wsl-bridge env --socket PATH names one of them", "docker-wsl-bridge status tells which there are"}},
	{errNoPrograms, []string{"keep docker-wsl-bridge.exe and docker-wsl-bridgew.exe of the download in one directory"}},
	{errNotUp, []string{"docker-wsl-bridge logs tells what happened", "docker-wsl-bridge up, in a window, tells what is wrong"}},
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

// openHints are for a bridge that can't become the one for its place. dir is where it would say so.
func openHints(err error, dir string) []string {
	var runs *control.RunsError
	var owned *endpoint.OwnerError
	switch {
	case errors.As(err, &runs) && runs.Status.Link.Socket == "":
		return []string{
			"docker-wsl-bridge status tells how its links are",
			"docker-wsl-bridge reload has it read the configuration again",
			"docker-wsl-bridge stop ends it",
		}
	case errors.As(err, &runs):
		at := flagsOf(runs.Status.Link.Place())
		return []string{
			"docker-wsl-bridge status tells how it is",
			"docker-wsl-bridge stop" + at + " ends it",
			"docker-wsl-bridge up --socket PATH serves another path beside it",
		}
	case errors.As(err, &owned):
		return []string{owned.Account() + " has made a pipe in your name; docker-wsl-bridge up --socket PATH has another one"}
	}
	list := []string{"this user must be able to write to " + dir + ", and nobody else"}
	if runtime.GOOS == "windows" && errors.Is(err, fs.ErrPermission) {
		list = append(list, "or another user has made the pipe in your name; docker-wsl-bridge up --socket PATH has another one")
	}
	return list
}

// flagsOf tell a place from all others.
func flagsOf(p control.Place) string {
	distro := p.Distro
	if p.Everywhere() {
		distro = `"` + distro + `"` // which a shell would take for all files
	}
	return " --distro " + distro + " --socket " + p.Socket
}

const (
	frozenHint     = "wsl --shutdown ends a WSL that stands still, and with it every distro"
	restartHint    = "restart the engine: net stop docker & net start docker"
	doctorHint     = "docker-wsl-bridge doctor looks for the cause"
	startAgainHint = "docker-wsl-bridge start starts it"
	noneHint       = "docker-wsl-bridge up starts one"

	reloadNoneHint  = "docker-wsl-bridge up, without flags, serves the configuration if that names links; one that was started otherwise is to be ended first"
	configCheckHint = "docker-wsl-bridge config check tells all that is wrong"
	configPathHint  = "docker-wsl-bridge config path tells where the files are, docs/configuration.md what they may have"
)

// servedHints are for an installation that would serve what another bridge does.
func servedHints(p control.Place) []string {
	return []string{"docker-wsl-bridge stop" + flagsOf(p) + " ends it, then install"}
}

// killHints are for a bridge that does not answer or does not end.
func killHints(pid int) []string {
	kill := fmt.Sprintf("taskkill /F /PID %d", pid)
	if runtime.GOOS != "windows" {
		kill = fmt.Sprintf("kill -9 %d", pid)
	}
	return []string{kill + " ends it at once, and its connections"}
}

// statusHints are for a bridge that runs and does not work. err is behind the status' words.
func statusHints(s control.Status, err error) []string {
	serving := s.State == string(daemon.Serving)
	var told *bridge.AgentError
	var inUse *endpoint.InUseError
	var list []string
	switch {
	case s.State == string(daemon.Stopped), s.State == string(daemon.Unused):
		return []string{"wsl --distro " + s.Link.Served() + " runs it; it is served again within 10 s"}
	case s.Link.Place().Everywhere() && errors.As(err, &told):
		list = []string{"wsl --distro " + s.Link.Host + " --user root ls -la " + path.Dir(s.Link.Socket) + " shows what is in the way; nothing there lives longer than WSL's virtual machine"}
	case s.Link.Reverse && errors.As(err, &inUse):
		return []string{"end the program that has the pipe, or give the link another one: from = \"npipe:////./pipe/NAME\"; docker-wsl-bridge config path tells where"}
	case s.Link.Reverse && serving && s.EngineError != "":
		return reverseHints(s.Link)
	case s.State == string(daemon.Frozen), serving && s.EngineError == "":
		return []string{"wait, if the machine has just woken up", frozenHint}
	case serving && errors.Is(err, engine.ErrNoAnswer):
		return []string{restartHint}
	case err != nil:
		list = hints(&failure{err, s.Link.Served()})
	}
	return append(list, doctorHint)
}

// doctorHints cure what a check has found. seen is what it was about.
func doctorHints(f doctor.Finding, seen doctor.Seen) []string {
	at := ""
	if seen.Bridge != nil {
		at = flagsOf(seen.Place)
	}
	var barred *doctor.NotAllowedError
	switch {
	case f.Code == doctor.BridgeRuns && f.Err == nil:
		return []string{noneHint}
	case f.Code == doctor.BridgeRuns:
		return killHints(seen.Bridge.PID)
	case f.Code == doctor.BridgeWorks:
		return slices.DeleteFunc(slices.Clone(seen.Bridge.Status.Hints), func(h string) bool { return h == doctorHint })
	case f.Code == doctor.PipeThere && seen.Bridge != nil && seen.Bridge.Status.Link.Reverse:
		return reverseHints(seen.Bridge.Status.Link)[:1]
	case f.Code == doctor.SocketThere, f.Code == doctor.SocketAccess:
		return []string{"docker-wsl-bridge stop" + at + ", and then up as before, makes it anew"}
	case errors.As(f.Err, &barred) && seen.Place.Everywhere():
		return []string{"wsl --distro " + seen.Distro + " id -u " + barred.User + " tells the number to add to uids of the link; docker-wsl-bridge reload then lets that user in, and those of other distros who have the number"}
	case errors.As(f.Err, &barred) && barred.Group() != "":
		return []string{"wsl --distro " + seen.Distro + " --user root usermod -aG " + barred.Group() + " " + barred.User + " lets that user in, from his next shell on"}
	case errors.As(f.Err, &barred):
		return []string{"docker-wsl-bridge stop" + at + ", and then up with --socket-owner " + barred.User + ", makes it that user's"}
	case f.Code == doctor.ClientLed:
		return []string{contextHint(seen.Place), "export DOCKER_HOST=unix://" + seen.Place.Socket + " leads docker here, in a shell of " + seen.Distro}
	case errors.Is(f.Err, engine.ErrNoAnswer):
		return []string{restartHint}
	}
	return hints(&failure{f.Err, seen.Distro})
}

// contextHint makes a context that nothing shadows.
func contextHint(p control.Place) string {
	return "docker-wsl-bridge context create" + flagsOf(p) + " makes a context: docker --context " + defaultContext + " goes there whatever else is set"
}

// contextHints are for a docker context that could not be made or removed.
func contextHints(distro string, err error) []string {
	var named *contextError
	var problem *dockercontext.ProblemError
	if errors.As(err, &named) {
		list := []string{"docker-wsl-bridge up --context NAME, or install with it, makes one of another name"}
		if named.State == dockercontext.Taken {
			return append(list, "docker-wsl-bridge context rm --distro "+distro+" "+named.Name+" removes it, and the next up makes it anew")
		}
		return append(list, "docker context rm "+named.Name+", in "+distro+", removes it")
	}
	if !errors.As(err, &problem) {
		return []string{"docker-wsl-bridge context create --distro " + distro + " tries again", "docker-wsl-bridge up --context none does without"}
	}
	as := "wsl --distro " + distro + " --user root "
	switch problem.Problem {
	case dockercontext.NoHome:
		return []string{as + "install -d -o " + problem.User + " ~" + problem.User + " makes the user's directory", "docker-wsl-bridge up --context none does without"}
	case dockercontext.Denied:
		return []string{as + "chown -R " + problem.User + ": ~" + problem.User + "/.docker gives the directory to its user", "docker-wsl-bridge up --context none does without"}
	case dockercontext.ReadOnly, dockercontext.NoSpace:
		return []string{"wsl --distro " + distro + " df -h ~ shows what is full or read-only", "docker-wsl-bridge up --context none does without"}
	}
	return []string{"docker-wsl-bridge up --context none does without"}
}

// discoverHints tell how what was discovered is linked, or what keeps it from being.
func discoverHints(d discovered) []string {
	var owned *endpoint.OwnerError
	_, pipe, isPipe := strings.Cut(d.Place, "/pipe/")
	switch {
	case d.Distro != "" && d.Engine != nil:
		return []string{
			"it is used in " + d.Distro + " itself, by docker -H unix://" + strings.TrimPrefix(d.Place, "unix:"),
			"Windows' programs reach it by a link of the configuration, from = \"npipe:////./pipe/NAME\" and to = \"" + d.Place + "\"; docker-wsl-bridge config path tells where that is",
		}
	case d.Distro != "" || !isPipe:
		return nil
	case d.Engine != nil && d.Engine.OSType != "windows":
		return []string{"docker-wsl-bridge up --pipe " + pipe + " links it to a distro, although it runs " + d.Engine.OSType + " containers"}
	case d.Engine != nil:
		return []string{"docker-wsl-bridge up --pipe " + pipe + " links it to a distro"}
	case errors.As(d.err, &owned):
		return []string{ownerHint(pipe, owned)}
	case errors.Is(d.err, fs.ErrPermission):
		return []string{accessHint}
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
		bridge.WhyLinuxPath: "is in the file system of this Linux distro, which the Docker engine of Windows can't read: it runs as SYSTEM, and WSL shows a distro to its own user alone; " +
			"use a directory of a Windows drive (such as /mnt/c/Users/...), a named volume, or docker cp; or run on Windows: docker-wsl-bridge up --paths off, which passes paths on as they are",
		bridge.WhyStopping: "docker-wsl-bridge is stopping; to have it again, run on Windows: docker-wsl-bridge up",
		bridge.WhyFailed:   "the Docker engine of Windows can't be reached at " + engine + "; to see why, run on Windows: docker-wsl-bridge up",
	}
}
