package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// cleanTime bounds the launch that cleans up, in a distro that runs.
const cleanTime = 10 * time.Second

// startSession starts the agent in the distro and greets it. An agent that is not
// there is put there first.
func (d *Tunnel) startSession(ctx context.Context) (host *bridge.Host, placed bool, err error) {
	host, err = d.greetAgent(ctx)
	if !errors.Is(err, fs.ErrNotExist) {
		return host, false, err
	}
	d.reportEvent(Event{State: Placing})
	putCtx, cancel := context.WithTimeout(ctx, distro.LaunchTime)
	defer cancel()
	start := func(argv []string) (*carrier.Process, error) { return d.WSL.Launch(d.Distro, argv) }
	if err := deploy.PutAgent(putCtx, start, d.Agent); err != nil {
		return nil, false, err
	}
	host, err = d.greetAgent(ctx)
	return host, true, err
}

// greetAgent starts the agent and joins it. When something else answers, the error
// tells what wsl.exe said.
func (d *Tunnel) greetAgent(ctx context.Context) (*bridge.Host, error) {
	id, err := bridge.ParseBuildID(d.Agent.Hash)
	if err != nil {
		return nil, err
	}
	argv := []string{deploy.AgentPath(d.Agent.Hash), "serve"}
	if d.Debug {
		argv = append(argv, "--debug")
	}
	p, err := d.WSL.Launch(d.Distro, argv)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, distro.LaunchTime)
	defer cancel()
	host, err := bridge.Join(ctx, p, id, nil, d.reportWarning, d.Log)
	var noise *bridge.NoiseError
	switch {
	case !errors.As(err, &noise):
	case ctx.Err() != nil:
		err = wsl.ExplainGivenUp(err, noise.Said, p.Stderr())
	default:
		if told := wsl.ExplainEnd(noise.Said, p.Stderr(), p.ExitCode()); told != nil {
			err = told
		}
	}
	if err != nil {
		return nil, fmt.Errorf("start agent in %s: %w", d.Distro, err)
	}
	host.CountIn(&d.books)
	return host, nil
}

// runAgent runs the agent's program in the distro for something short.
func (d *Tunnel) runAgent(ctx context.Context, args []string) error {
	args = append([]string{deploy.AgentPath(d.Agent.Hash)}, args...)
	launch, err := wsl.Launch{Distro: d.Distro, User: "root", Cd: "/", Argv: args}.ArgList()
	if err != nil {
		return err
	}
	_, err = d.WSL.OutputOf(ctx, launch)
	return err
}

// probeArgs have the agent's program do next to nothing.
func probeArgs() []string { return []string{"hash"} }

// cleanArgs have it end another agent, if that is there still, and remove those of
// its sockets that nobody serves.
func cleanArgs(agent bridge.Agent, sockets []string) []string {
	return append([]string{"clean", strconv.Itoa(agent.PID), strconv.FormatUint(agent.Started, 10)}, sockets...)
}
