package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/bench/load"
)

// A launcher starts programs in distros for plainwsl, with its connections as
// their stdin and stdout.
type launcher struct {
	address string // ADDRESS/TOKEN
	token   string
	p       *place
	ctx     context.Context
	running sync.WaitGroup

	mu    sync.Mutex
	stdio map[string]*net.TCPConn // by the launch, until it is started
}

func (p *place) startLauncher(ctx context.Context) error {
	if p.launcher != nil {
		return nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.launcher = &launcher{token: rand.Text(), p: p, ctx: ctx, stdio: map[string]*net.TCPConn{}}
	p.launcher.address = l.Addr().String() + "/" + p.launcher.token
	p.launcher.running.Go(func() { p.launcher.accept(l) })
	p.onClose(func() error {
		cancel()
		err := l.Close()
		p.launcher.running.Wait()
		return err
	})
	return nil
}

func (l *launcher) accept(from net.Listener) {
	for {
		c, err := from.Accept()
		if err != nil {
			return // it is closed
		}
		l.running.Go(func() { l.take(c.(*net.TCPConn)) })
	}
}

// take reads what a connection is for. Not a byte more than the line is read: what
// follows is the program's.
func (l *launcher) take(c *net.TCPConn) {
	var line []byte
	for b := make([]byte, 1); len(line) < 64<<10; line = append(line, b[0]) {
		if _, err := io.ReadFull(c, b); err != nil || b[0] == '\n' {
			break
		}
	}
	var launch load.Launch
	if err := json.Unmarshal(line, &launch); err != nil || launch.Token != l.token {
		_ = c.Close()
		return
	}
	if len(launch.Argv) == 0 {
		l.mu.Lock()
		l.stdio[launch.ID] = c
		l.mu.Unlock()
		_, _ = c.Write([]byte("\n")) // it is known; should that fail, it is not asked for
		return
	}
	defer c.Close()
	ended, err := l.start(launch)
	if err != nil {
		ended = load.Ended{Code: 255, Said: err.Error()}
	}
	_ = json.NewEncoder(c).Encode(ended) // plainwsl may have been killed
}

// asWSL is a program's argument list with what WSL's init says when there is no
// such program: the product puts its agent there then.
func asWSL(argv []string) []string {
	const script = `[ -x "$0" ] && exec "$0" "$@"
echo "<3>WSL (1 - Relay) ERROR: CreateProcessCommon:798: execvpe($0) failed: No such file or directory" >&2
exit 1`
	return append([]string{"/bin/sh", "-c", script}, argv...)
}

func (l *launcher) start(launch load.Launch) (ended load.Ended, err error) {
	l.mu.Lock()
	stdio := l.stdio[launch.ID]
	delete(l.stdio, launch.ID)
	l.mu.Unlock()
	if stdio == nil {
		return ended, fmt.Errorf("find the stdio of %s: there is none", launch.Argv[0])
	}
	file, err := stdio.File()
	_ = stdio.Close() // the file is another one
	if err != nil {
		return ended, err
	}
	cmd := l.p.s.VM.Command(l.ctx, launch.Distro, launch.User, asWSL(launch.Argv)...)
	var said bytes.Buffer // of the agent: little
	cmd.Stdin, cmd.Stdout, cmd.Stderr = file, file, &said
	err = cmd.Start()
	_ = file.Close() // it is the program's now
	if err != nil {
		return ended, err
	}
	_ = cmd.Wait() // how it ended is what is told
	return load.Ended{Code: cmd.ProcessState.ExitCode(), Said: said.String()}, nil
}
