package distro

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

const (
	// launchTime bounds one launch in a distro: a cold one with systemd takes
	// more than 10 s (WaitForBootProcess in microsoft/WSL's init.cpp), and
	// wsl.exe itself waits for 30 s.
	LaunchTime = time.Minute
	// maxCleaned bounds the sockets of one launch, whose command line may have 32 KiB.
	MaxCleaned = 100
)

// Path is where wsl.exe is.
func (w WSL) Path() string { return w.path }

// WSLVersion is WSL's, or "" if it does not tell. The error is that of a WSL that
// is not installed, for one.
func (w WSL) WSLVersion(ctx context.Context) (string, error) {
	said, err := w.askWSL(ctx, wsl.VersionArgs())
	if err != nil {
		return "", err
	}
	return wsl.ParseVersion(said), nil
}

// IsDistroRunning tells whether a distro runs. It does not start it.
func (w WSL) IsDistroRunning(ctx context.Context, distro string) (bool, error) {
	names, err := w.listNames(ctx, wsl.RunningArgs())
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, distro) }), err
}

// RunningDistros are the names of the distros that run. It starts none.
func (w WSL) RunningDistros(ctx context.Context) ([]string, error) {
	return w.listNames(ctx, wsl.RunningArgs())
}

// AsUser is what a program says that is run as the distro's default user. It
// starts a distro that does not run.
func (w WSL) AsUser(ctx context.Context, distro string, argv []string) ([]byte, error) {
	return w.runAsUser(ctx, distro, "", argv)
}

// AsRoot is AsUser for root.
func (w WSL) AsRoot(ctx context.Context, distro string, argv []string) ([]byte, error) {
	return w.runAsUser(ctx, distro, "root", argv)
}

func (w WSL) runAsUser(ctx context.Context, distro, user string, argv []string) ([]byte, error) {
	args, err := wsl.Launch{Distro: distro, User: user, Cd: "/", Argv: argv}.ArgList()
	if err != nil {
		return nil, err
	}
	return w.OutputOf(ctx, args)
}

// RunAgent runs the agent's program as a user, the distro's default one if that is empty, and puts it there
// first if it is not. It starts a distro that does not run.
func (w WSL) RunAgent(ctx context.Context, distro, user string, agent deploy.Binary, args []string) ([]byte, error) {
	argv := append([]string{deploy.AgentPath(agent.Hash)}, args...)
	said, err := w.runAsUser(ctx, distro, user, argv)
	if !errors.Is(err, fs.ErrNotExist) {
		return said, err
	}
	start := func(argv []string) (*carrier.Process, error) { return w.Launch(distro, argv) }
	if err := deploy.PutAgent(ctx, start, agent); err != nil {
		return nil, err
	}
	return w.runAsUser(ctx, distro, user, argv)
}

// RemoveSockets removes from a distro the sockets of agents that nobody serves any more: those beside the
// agent's file, and the named ones. It starts one that does not run.
func (w WSL) RemoveSockets(ctx context.Context, distro string, agent deploy.Binary, sockets []string) error {
	ctx, cancel := context.WithTimeout(ctx, LaunchTime)
	defer cancel()
	for first := true; first || len(sockets) > 0; first = false {
		n := min(len(sockets), MaxCleaned)
		if _, err := w.RunAgent(ctx, distro, "root", agent, append([]string{"sweep"}, sockets[:n]...)); err != nil {
			return fmt.Errorf("remove sockets from %s: %w", distro, err)
		}
		sockets = sockets[n:]
	}
	return nil
}

// RemoveAgents removes the agents' files from a distro. It starts one that does not run.
func (w WSL) RemoveAgents(ctx context.Context, distro string) error {
	args, err := wsl.Launch{Distro: distro, User: "root", Cd: "/", Argv: deploy.RemoveArgs()}.ArgList()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, LaunchTime)
	defer cancel()
	if _, err := w.OutputOf(ctx, args); err != nil {
		return fmt.Errorf("remove agent from %s: %w", distro, err)
	}
	return nil
}
