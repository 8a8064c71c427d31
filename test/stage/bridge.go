//go:build linux

package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// endTime bounds the start of the bridge, the agent's way into a cold distro
// included, and its end.
const endTime = 2 * time.Minute

// Bridge is a running `up --json`.
type Bridge struct {
	Host   string // what clients in the distro set DOCKER_HOST to
	Socket struct{ Distro, Socket, Mode, Owner string }
	Engine string

	*lab.Console
}

// Up starts the product, a command of Windows or Linux with `up --json`, on a
// console of its own and waits until it serves.
func (s *Stage) Up(ctx context.Context, cmd *exec.Cmd) (*Bridge, error) {
	console, err := s.Wine.Console(cmd)
	if err != nil {
		return nil, err
	}
	b := &Bridge{Console: console}
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	if err := console.Await(ctx, "}\n"); err != nil {
		killed := b.Kill()
		return nil, errors.Join(fmt.Errorf("start bridge: %w; %v", err, b.Cmd.ProcessState), killed)
	}
	said := console.Output()
	var ready struct {
		Event, Engine, DockerHost string
		Socket                    struct{ Distro, Socket, Mode, Owner string }
	}
	if err := json.NewDecoder(strings.NewReader(said)).Decode(&ready); err != nil || ready.Event != "ready" {
		return nil, errors.Join(fmt.Errorf("start bridge: it said %s", said), b.Kill())
	}
	b.Host, b.Socket, b.Engine = ready.DockerHost, ready.Socket, ready.Engine
	return b, nil
}

// Close ends it as a person does, with Ctrl-C, and wants it to end well.
func (b *Bridge) Close() error {
	if err := b.Interrupt(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	if err := b.End(ctx, 0); err != nil {
		return fmt.Errorf("end bridge: %w", err)
	}
	return nil
}

// Kill ends it as Task Manager does.
func (b *Bridge) Kill() error {
	_ = b.Cmd.Process.Kill() // it may have ended
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	_, err := b.Wait(ctx)
	return err
}
