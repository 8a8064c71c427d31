package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// killTime is for what a killed program leaves with its pipes.
const killTime = 10 * time.Second

// A peer is a program of Windows that connects its stdio to a pipe, and socat which
// starts one for each connection, both with the arguments that the peer's own documents
// give. There is no WSL on its way: Wine's loader starts it at once, where WSL has its
// interop relay.
type peer struct {
	program func(ctx context.Context, pipe string) *exec.Cmd
	options string // of socat's EXEC
}

func originalTitle() string {
	if exe := os.Getenv("DOCKER_EXE"); exe != "" {
		return "socat and " + exe + " system dial-stdio"
	}
	return "socat and a small program that does what docker's dial-stdio does"
}

func (p *place) openOriginal(ctx context.Context, c *column) error {
	return p.openPeer(ctx, c, p.original())
}

func (p *place) originalAgain(ctx context.Context, c *column) (*again, error) {
	return p.peerAgain(ctx, c, p.original())
}

// original is as the README of the earlier program has it.
func (p *place) original() peer { return peer{program: p.dialStdio} }

func (p *place) dialStdio(ctx context.Context, pipe string) *exec.Cmd {
	if exe := os.Getenv("DOCKER_EXE"); exe != "" {
		return p.s.Wine.Command(ctx, exe, "--host=npipe:////./pipe/"+pipe, "system", "dial-stdio")
	}
	exe, err := lab.Build(ctx, "windows", "./test/bench/dialstdio")
	cmd := p.s.Wine.Command(ctx, exe, pipe)
	cmd.Err = errors.Join(cmd.Err, err)
	return cmd
}

func (p *place) openNpiperelay(ctx context.Context, c *column) error {
	return p.openPeer(ctx, c, p.npiperelay())
}

func (p *place) npiperelayAgain(ctx context.Context, c *column) (*again, error) {
	return p.peerAgain(ctx, c, p.npiperelay())
}

// npiperelay is as its own script for Docker has it (scripts/docker-relay), but for the
// socket's group: it ends with the pipe (-ep), and not with its stdin, and socat gives it
// the connection itself (nofork), and no time of its own for what comes late.
func (p *place) npiperelay() peer {
	return peer{
		program: func(ctx context.Context, pipe string) *exec.Cmd {
			return p.s.Wine.Command(ctx, os.Getenv("NPIPERELAY"), "-ep", "-s", "//./pipe/"+pipe)
		},
		options: ",nofork",
	}
}

func (p *place) openPeer(ctx context.Context, c *column, as peer) (err error) {
	pipes := pipeNames(p)
	if c.docker, err = p.startPeer(ctx, c.name+"-"+engineDocker, pipes[engineDocker], as); err != nil {
		return err
	}
	c.bytes, err = p.startPeer(ctx, c.name+"-"+engineBytes, pipes[engineBytes], as)
	return err
}

func (p *place) startPeer(ctx context.Context, name, pipe string, as peer) (*path, error) {
	socat, socket, err := p.socat(ctx, name, as.program(ctx, pipe), as.options)
	if err != nil {
		return nil, err
	}
	p.onClose(func() error { endSocat(socat); return nil })
	return &path{
		target:    "unix:" + socket,
		processes: func() ([]int, error) { return family(socat.Process.Pid), nil },
	}, nil
}

func (p *place) peerAgain(ctx context.Context, c *column, as peer) (*again, error) {
	socat, socket, err := p.socat(ctx, c.name+"-again", as.program(ctx, p.s.Engine.Pipe), as.options)
	if err != nil {
		return nil, err
	}
	return &again{"unix:" + socket, func() error { endSocat(socat); return nil }}, nil
}

// socat starts one as its users do, with options of its EXEC, and returns when it
// listens. It leads a group with all that it starts.
func (p *place) socat(ctx context.Context, name string, program *exec.Cmd, options string) (*exec.Cmd, string, error) {
	if program.Err != nil {
		return nil, "", program.Err
	}
	socket := filepath.Join(p.dir, name+".sock")
	words := append([]string{program.Path}, program.Args[1:]...)
	line := strings.NewReplacer(":", `\:`, ",", `\,`).Replace(strings.Join(words, " "))
	cmd := exec.Command("socat", "UNIX-LISTEN:"+socket+",fork", "EXEC:"+line+options)
	cmd.Env = program.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("start socat: %w", err)
	}
	for end := time.Now().Add(killTime); ; time.Sleep(time.Millisecond) { // socat tells nobody
		if _, err := os.Stat(socket); err == nil {
			return cmd, socket, nil
		}
		if ctx.Err() != nil || time.Now().After(end) {
			endSocat(cmd)
			return nil, "", errors.New("start socat: it does not listen")
		}
	}
}

func endSocat(socat *exec.Cmd) {
	_ = syscall.Kill(-socat.Process.Pid, syscall.SIGKILL) // may have ended
	_ = socat.Wait()                                      // a killed one
	for _, arg := range socat.Args {
		if rest, found := strings.CutPrefix(arg, "UNIX-LISTEN:"); found {
			_ = os.Remove(strings.TrimSuffix(rest, ",fork"))
		}
	}
}

// answers waits until a ping is answered, and tells nothing of how often it was not.
func answers(ctx context.Context, target string) error {
	for {
		err := pinged(target)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		time.Sleep(time.Millisecond) // nobody tells
	}
}

func pinged(target string) error {
	c, err := net.Dial("unix", strings.TrimPrefix(target, "unix:"))
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n")); err != nil {
		return err
	}
	_ = c.SetReadDeadline(time.Now().Add(killTime)) // shows in the read
	b := make([]byte, 12)
	if n, err := c.Read(b); err != nil || string(b[:n]) != "HTTP/1.1 200" {
		return fmt.Errorf("ask: %d bytes, %w", n, errors.Join(err, errors.New("no answer")))
	}
	return nil
}
