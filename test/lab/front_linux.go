package lab

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Front is dockerd.exe's listener in a prefix: test/front.
type Front struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan error
}

// StartFront has named pipes of the prefix stand in front of engines: a pipe's
// name, or NAME@OWNER, to HOST:PORT on loopback, to HOST:PORT,deaf=N to read nothing
// of the first N connections, or to "denied" for one that lets nobody in. It
// returns when all take connections; ctx bounds the start only.
func (w *Wine) StartFront(ctx context.Context, pipes map[string]string) (*Front, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	exe, err := Build(ctx, "windows", "./test/front")
	if err != nil {
		return nil, err
	}
	var args []string
	for name, target := range pipes {
		args = append(args, name+"="+target)
	}
	slices.Sort(args)
	cmd := w.Command(context.WithoutCancel(ctx), exe, args...)
	stdin, stdinErr := cmd.StdinPipe()
	stdout, stdoutErr := cmd.StdoutPipe()
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := errors.Join(stdinErr, stdoutErr, cmd.Start()); err != nil {
		return nil, fmt.Errorf("start front: %w", err)
	}
	f := &Front{cmd: cmd, stdin: stdin, ended: make(chan error, 1)}
	ready := make(chan bool, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		ready <- strings.TrimSpace(line) == "ready"
		f.ended <- cmd.Wait()
	}()
	select {
	case ok := <-ready:
		if !ok {
			return nil, fmt.Errorf("start front: %w: %s", f.kill(), &said)
		}
		return f, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("start front: %w", errors.Join(ctx.Err(), f.kill()))
	}
}

// Close ends the listeners and every connection through them.
func (f *Front) Close() error {
	_ = f.stdin.Close() // an error means that it has ended by itself
	select {
	case err := <-f.ended:
		if err != nil {
			return fmt.Errorf("end front: %w", err)
		}
		return nil
	case <-time.After(10 * time.Second):
		// Seen once in some hundred times: at what it stood still, the next one tells.
		at := standsAt(f.cmd.Process.Pid)
		return fmt.Errorf("end front: %w: it had to be killed, and was at %s", f.kill(), at)
	}
}

// standsAt tells in which calls of the kernel a process' threads are.
func standsAt(pid int) string {
	var calls []string
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	for _, t := range threads {
		call, _ := os.ReadFile(filepath.Join(t, "wchan")) // it may have ended
		calls = append(calls, string(call))
	}
	return fmt.Sprintf("%q", calls)
}

func (f *Front) kill() error {
	_ = f.cmd.Process.Kill()
	return errors.Join(<-f.ended, f.stdin.Close())
}
