package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

const (
	// launchTime bounds one launch in a distro: a cold one with systemd takes
	// more than 10 s (WaitForBootProcess in microsoft/WSL's init.cpp), and
	// wsl.exe itself waits for 30 s.
	launchTime = time.Minute
	// listTime bounds wsl.exe --list, which starts no distro.
	listTime = 30 * time.Second
	// maxList bounds what wsl.exe --list may say.
	maxList = 64 << 10

	linkName = "windows"
)

// errNoDistro says that WSL has no distro at all.
var errNoDistro = errors.New("find distro: WSL has none")

// up serves until ctx ends, which is success, or the session does.
func up(ctx context.Context, o options, r *reporter) error {
	place, info, err := findEngine(ctx, o, r)
	if err != nil {
		return err
	}
	w, err := findWSL()
	if err != nil {
		return err
	}
	if o.distro == "" {
		if o.distro, err = w.defaultDistro(ctx); err != nil {
			return err
		}
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own file: %w", err)
	}
	agent, err := deploy.Agent(deploy.NativeArch(), filepath.Dir(exe))
	if err != nil {
		return err
	}
	host, placed, err := w.join(ctx, o.distro, agent, place, r)
	if err != nil {
		return err
	}
	where, err := host.Listen(ctx, bridge.Listen{Link: linkName, Socket: o.socket, Mode: o.mode, Owner: o.owner})
	if err != nil {
		return errors.Join(&socketError{o.distro, o.socket, err}, host.Close())
	}
	err = r.ready(ready{
		Kind: o.kind, Engine: place.String(), Info: info,
		Agent: deploy.Path(agent.Hash), Placed: placed,
		Socket: socket{o.distro, o.socket, where}, Host: "unix://" + o.socket,
	})
	if err != nil {
		return errors.Join(err, host.Close())
	}
	return serve(ctx, host, r)
}

// serve waits for the end, whichever it is.
func serve(ctx context.Context, host *bridge.Host, r *reporter) error {
	select {
	case <-host.Done():
		return errors.Join(&lostError{host.Err()}, host.Close())
	case <-ctx.Done():
	}
	if n := host.Streams(); n > 0 {
		r.step("waiting up to 5 s for %d connections to end", n)
	}
	err := host.Close()
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // connections were cut, as announced
	}
	return errors.Join(err, r.stopped())
}

// socketError says that the agent could not listen.
type socketError struct {
	distro, socket string
	cause          error
}

func (e *socketError) Error() string { return "serve socket in " + e.distro + ": " + e.cause.Error() }
func (e *socketError) Unwrap() error { return e.cause }

// lostError says that the carrier ended by itself.
type lostError struct{ cause error }

func (e *lostError) Error() string {
	return "serve socket: wsl.exe or its distro ended: " + e.cause.Error()
}
func (e *lostError) Unwrap() error { return e.cause }

// findEngine asks the named engine, or the first one for Windows containers.
// What carries something else is not asked: a connection is all it may expect.
func findEngine(ctx context.Context, o options, r *reporter) (endpoint.Endpoint, engine.Info, error) {
	if o.kind == kindRaw {
		return o.engine, engine.Info{}, nil
	}
	if named := o.engine; named != (endpoint.Endpoint{}) {
		r.step("asking %s", named)
		info, err := engine.Probe(ctx, named.Dial)
		return named, info, err
	}
	r.step("looking for an engine for Windows containers")
	name, info, err := engine.Find(ctx, engine.Names(), func(ctx context.Context, name string) (net.Conn, error) {
		place, err := endpoint.Parse(name, "windows")
		if err != nil {
			return nil, err
		}
		return place.Dial(ctx)
	})
	if err != nil {
		return endpoint.Endpoint{}, info, err
	}
	place, err := endpoint.Parse(name, "windows")
	return place, info, err
}

// wslExe starts programs through wsl.exe.
type wslExe struct{ path string }

func findWSL() (wslExe, error) {
	path, err := wsl.Find(runtime.GOOS, os.Getenv, func(p string) bool {
		info, err := os.Stat(p)
		return err == nil && info.Mode().IsRegular()
	}, exec.LookPath)
	return wslExe{path}, err
}

// run starts wsl.exe in a directory that is there on every machine: it
// translates the one it is started in, and complains if it can't.
func (w wslExe) run(args []string) (*carrier.Process, error) {
	return carrier.Start(carrier.Command{Path: w.path, Args: args, Env: wsl.Env(), Dir: filepath.Dir(w.path)})
}

// defaultDistro is the first that wsl.exe lists.
func (w wslExe) defaultDistro(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	p, err := w.run(wsl.ListArgs())
	if err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { p.CloseAfter(0) })
	defer stop()
	said, readErr := io.ReadAll(io.LimitReader(p, maxList))
	closeErr := p.Close()
	if err := errors.Join(ctx.Err(), readErr, closeErr); err != nil {
		return "", fmt.Errorf("list distros: %w", err)
	}
	if err := wsl.Explain(said, p.Stderr(), p.ExitCode()); err != nil {
		return "", fmt.Errorf("list distros: %w", err)
	}
	names := wsl.ParseList(said)
	if len(names) == 0 {
		return "", errNoDistro
	}
	return names[0], nil
}

// join starts the agent in the distro and greets it. An agent that is not
// there is put there first.
func (w wslExe) join(ctx context.Context, distro string, agent deploy.Binary, place endpoint.Endpoint, r *reporter) (host *bridge.Host, placed bool, err error) {
	r.step("starting the agent in %s", distro)
	host, err = w.greet(ctx, distro, agent, place)
	if !errors.Is(err, fs.ErrNotExist) {
		return host, false, err
	}
	r.step("putting the agent into %s", distro)
	putCtx, cancel := context.WithTimeout(ctx, launchTime)
	defer cancel()
	start := func(argv []string) (*carrier.Process, error) { return w.launch(distro, argv) }
	if err := deploy.Put(putCtx, start, agent); err != nil {
		return nil, false, err
	}
	host, err = w.greet(ctx, distro, agent, place)
	return host, true, err
}

func (w wslExe) launch(distro string, argv []string) (*carrier.Process, error) {
	args, err := wsl.Launch{Distro: distro, User: "root", Cd: "/", Argv: argv}.Args()
	if err != nil {
		return nil, err
	}
	return w.run(args)
}

// greet starts the agent and joins it. When something else answers, the error
// tells what wsl.exe said.
func (w wslExe) greet(ctx context.Context, distro string, agent deploy.Binary, place endpoint.Endpoint) (*bridge.Host, error) {
	id, err := bridge.ParseBuildID(agent.Hash)
	if err != nil {
		return nil, err
	}
	p, err := w.launch(distro, []string{deploy.Path(agent.Hash), "serve"})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, launchTime)
	defer cancel()
	links := map[string]bridge.Dial{linkName: place.Dial}
	host, err := bridge.Join(ctx, p, id, links, slog.New(slog.DiscardHandler))
	var noise *bridge.NoiseError
	if errors.As(err, &noise) && ctx.Err() == nil {
		if told := wsl.Explain(noise.Said, p.Stderr(), p.ExitCode()); told != nil {
			return nil, fmt.Errorf("start agent in %s: %w", distro, told)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("start agent in %s: %w", distro, err)
	}
	return host, nil
}
