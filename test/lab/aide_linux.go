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
	"strings"
	"time"
)

// An aide is a program of ours in a prefix that does something for tests as long as its stdin is open.
type aide struct {
	what  string
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan error
}

// startAide starts the program of pkg, and gives the line that it says when it is ready; an empty
// one is a failure. ctx bounds the start only.
func (w *Wine) startAide(ctx context.Context, what, pkg string, args ...string) (*aide, string, error) {
	exe, err := Build(ctx, "windows", pkg)
	if err != nil {
		return nil, "", err
	}
	var ready string
	a, err := again(ctx, func() (a *aide, err error) {
		a, ready, err = w.startAideOnce(ctx, what, exe, args...)
		return a, err
	})
	return a, ready, err
}

func (w *Wine) startAideOnce(ctx context.Context, what, exe string, args ...string) (*aide, string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := w.Command(context.WithoutCancel(ctx), exe, args...)
	stdin, stdinErr := cmd.StdinPipe()
	stdout, stdoutErr := cmd.StdoutPipe()
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := errors.Join(stdinErr, stdoutErr, cmd.Start()); err != nil {
		return nil, "", fmt.Errorf("start %s: %w", what, err)
	}
	a := &aide{what: what, cmd: cmd, stdin: stdin, ended: make(chan error, 1)}
	ready := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		ready <- strings.TrimSpace(line)
		a.ended <- cmd.Wait()
	}()
	select {
	case line := <-ready:
		if line == "" {
			return nil, "", fmt.Errorf("start %s: %w: %s", what, a.kill(), &said)
		}
		return a, line, nil
	case <-ctx.Done():
		return nil, "", fmt.Errorf("start %s: %w", what, errors.Join(ctx.Err(), a.kill()))
	}
}

// Close ends it, and all connections through it. One that stands still on its way out, as once in some
// hundred times under Wine, is killed and is no failure: it is not what is tested.
func (a *aide) Close() error {
	_ = a.stdin.Close() // an error means that it has ended by itself
	select {
	case err := <-a.ended:
		if err != nil && !LateForWine(a.cmd) {
			return fmt.Errorf("end %s: %w", a.what, err)
		}
	case <-time.After(10 * time.Second):
		at := standsAt(a.cmd.Process.Pid)
		fmt.Fprintf(os.Stderr, "%s had to be killed (%v), and was at %s\n", a.what, a.kill(), at)
	}
	return nil
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

func (a *aide) kill() error {
	_ = a.cmd.Process.Kill()
	return errors.Join(<-a.ended, a.stdin.Close())
}
