// Command docker-wsl-agent is the Linux half of docker-wsl-bridge. The Windows
// half puts it into a distro and starts it there with its stdin and stdout as
// the carrier; a person has no use for it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
)

// Exit codes. wsl.exe gives 1, 67, 87 and 255 meanings of its own.
const (
	exitOK    = 0
	exitUsage = 2
	exitLost  = 3
)

const usage = `docker-wsl-agent is started by docker-wsl-bridge inside a WSL distro.

usage: docker-wsl-agent serve    be the Linux half; stdin and stdout are the carrier
       docker-wsl-agent serve --debug
                                 and log each connection, to stderr
       docker-wsl-agent hash     print the SHA-256 of this file
       docker-wsl-agent clean PID STARTED [SOCKET...]
                                 end an agent that is out of reach, remove its sockets
       docker-wsl-agent sweep [SOCKET...]
                                 remove sockets that nobody serves, beside this file
                                 and the named ones
       docker-wsl-agent access MODE OWNER SOCKET
                                 give a socket its owner and mode again
       docker-wsl-agent inspect SOCKET
                                 tell whether this user may use a socket
       docker-wsl-agent context create NAME HOST | rm [NAME] | ls [--recorded=NAME,NAME]
                                 this user's contexts of the docker command; recorded
                                 are those that the version before has made
       docker-wsl-agent engines  ask the engines of this distro for their versions
`

func main() {
	runtime.GOMAXPROCS(1) // for the reason that the other half has
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	switch {
	case len(args) == 1 && args[0] == "serve":
		return serveHost(slog.LevelInfo)
	case len(args) == 2 && args[0] == "serve" && args[1] == "--debug":
		return serveHost(slog.LevelDebug)
	case len(args) == 1 && args[0] == "hash":
		return printHash()
	case len(args) > 2 && args[0] == "clean":
		return cleanUp(args[1], args[2], args[3:])
	case len(args) > 0 && args[0] == "sweep":
		return sweepSockets(args[1:])
	case len(args) == 4 && args[0] == "access":
		return restoreAccess(args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "inspect":
		return inspectSocket(args[1])
	case len(args) == 1 && args[0] == "engines":
		return listEngines()
	case len(args) > 1 && args[0] == "context":
		if rest, recorded := cutRecorded(args[2:]); isContext(args[1], len(rest)) {
			return runContexts(args[1], rest, recorded)
		}
	}
	fmt.Fprint(os.Stderr, usage)
	return exitUsage
}

func isContext(do string, args int) bool {
	return do == "create" && args == 2 || do == "rm" && args <= 1 || do == "ls" && args == 0
}

func printHash() int {
	id, err := bridge.OwnBuildID()
	if err != nil {
		return reportFailure(err)
	}
	fmt.Println(id)
	return exitOK
}

func reportFailure(err error) int {
	fmt.Fprintln(os.Stderr, "docker-wsl-agent: error:", err)
	return exitLost
}

func serveHost(level slog.Level) int {
	out, err := openStderr()
	if err != nil {
		return reportFailure(err)
	}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
	if err := serveSession(log); err != nil {
		log.Error("agent ends", "error", err)
		return exitLost
	}
	return exitOK
}

// serveSession lives until the host says goodbye. When wsl.exe is killed, the relay
// behind our stdio closes the terminal that we lead, which sends SIGHUP, and
// stderr breaks: neither may end us before the socket is gone.
func serveSession(log *slog.Logger) error {
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	id, err := bridge.OwnBuildID()
	if err != nil {
		return err
	}
	stdio, err := carrier.Stdio()
	if err != nil {
		return err
	}
	err = bridge.RunAgent(ctx, stdio, id, bridge.Distro{Open: openSocket, Users: otherUsers, Drives: currentDrives, Self: describeSelf, Dial: dialSocket}, log)
	if ctx.Err() != nil {
		return errors.New("a signal ended it")
	}
	return err
}
