package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Console is a Windows program that a person started in a console window of
// its own: its input is the console, its output is read by the test.
type Console struct {
	Cmd *exec.Cmd

	keys    *os.File // the person's end of the terminal
	out     *os.File
	readers sync.WaitGroup

	mu    sync.Mutex
	text  strings.Builder
	ended bool
	more  chan struct{} // closed, and replaced, with every piece of text and the end
}

// Console starts cmd, one of Command's whose Stdin, Stdout and Stderr are not
// set. A terminal on stdin makes Wine give the program a console.
func (w *Wine) Console(cmd *exec.Cmd) (*Console, error) {
	keys, screen, err := OpenTerminal()
	if err != nil {
		return nil, fmt.Errorf("open console: %w", err)
	}
	defer screen.Close()
	out, in, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open console: %w", err), keys.Close())
	}
	defer in.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = screen, in, in
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("open console: %w", err), keys.Close(), out.Close())
	}
	c := &Console{Cmd: cmd, keys: keys, out: out, more: make(chan struct{})}
	c.readers.Go(c.read)
	// What the console draws must be taken away, or a full terminal stops it.
	c.readers.Go(func() { _, _ = io.Copy(io.Discard, keys) })
	return c, nil
}

func (c *Console) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := c.out.Read(buffer)
		c.mu.Lock()
		c.text.Write(buffer[:n])
		c.ended = err != nil
		close(c.more)
		c.more = make(chan struct{})
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Output is what the program has said so far, stdout and stderr as they came.
func (c *Console) Output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return WithoutWine(c.text.String())
}

// winesOwn are lines of Wine itself, which it writes to a program's stderr now and
// then, WINEDEBUG or not: when a program ends while a thread of it still talks to
// the server.
var winesOwn = regexp.MustCompile(`(?m)^wine client error:[^\n]*\n?`)

// WithoutWine is what a program has said itself.
func WithoutWine(said string) string { return winesOwn.ReplaceAllString(said, "") }

// Await returns when the program has said text. The error holds what it has
// said instead when it ends, or ctx does.
func (c *Console) Await(ctx context.Context, text string) error {
	for {
		c.mu.Lock()
		said, ended, more := WithoutWine(c.text.String()), c.ended, c.more
		c.mu.Unlock()
		if strings.Contains(said, text) {
			return nil
		}
		if ended {
			return fmt.Errorf("await %q: the program ended its output: %q", text, said)
		}
		select {
		case <-more:
		case <-ctx.Done():
			return fmt.Errorf("await %q: %w: %q", text, ctx.Err(), said)
		}
	}
}

// Interrupt sends what Ctrl-C does. Every program of this console gets it, a child that
// has a console of its own (CREATE_NO_WINDOW) does not, just as on Windows.
//
// The terminal would send it to a process that Wine has forked and not yet turned into the
// new program as well. Wine's handler in that copy waits for ever for a lock that another thread
// held in the fork, and the program with it, for the start of its child: seen in one of six Ctrl-C in
// the moment of a start.
func (c *Console) Interrupt() error {
	processes, err := group(c.Cmd.Process.Pid)
	if err != nil {
		return fmt.Errorf("interrupt: %w", err)
	}
	for pid, p := range processes {
		if parent, ours := processes[p.parent]; ours && p.line == parent.line {
			continue
		}
		if err := syscall.Kill(pid, syscall.SIGINT); err != nil && err != syscall.ESRCH {
			return fmt.Errorf("interrupt: %w", err)
		}
	}
	return nil
}

// member is a process of a group.
type member struct {
	parent int
	line   string // its command line
}

// group gives the processes of a process group by their numbers.
func group(leader int) (map[int]member, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	found := map[int]member{}
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		// pid (comm) state ppid pgrp: comm may hold anything, but no later field a bracket.
		_, rest, _ := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " ")
		var state string
		var parent, own int
		if _, err := fmt.Sscan(rest, &state, &parent, &own); err != nil || own != leader || state == "Z" {
			continue
		}
		line, err := os.ReadFile(filepath.Join(filepath.Dir(name), "cmdline"))
		if err != nil {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			return nil, err
		}
		found[pid] = member{parent, string(line)}
	}
	return found, nil
}

// Wait returns the program's exit code when it has ended, and puts the console
// away; Output is complete then. It kills the program when ctx ends first.
func (c *Console) Wait(ctx context.Context) (int, error) {
	const linger = 2 * time.Second // for output that a left-over program holds open
	stop := context.AfterFunc(ctx, func() { _ = c.Cmd.Process.Kill() })
	defer stop()
	err := c.Cmd.Wait()
	_ = c.out.SetReadDeadline(time.Now().Add(linger))
	_ = c.keys.Close() // ends its reader
	c.readers.Wait()
	_ = c.out.Close()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return -1, fmt.Errorf("await the program's end: %w", ctx.Err())
	case err != nil && !errors.As(err, &exit):
		return -1, fmt.Errorf("await the program's end: %w", err)
	}
	return c.Cmd.ProcessState.ExitCode(), nil
}

// End waits for the program's end and wants it to have this exit code.
func (c *Console) End(ctx context.Context, code int) error {
	got, err := c.Wait(ctx)
	if err == nil && got != code && !LateForWine(c.Cmd) {
		err = fmt.Errorf("exit code %d, want %d: %s", got, code, c.Output())
	}
	return err
}

// LateForWine tells that cmd, which has ended, had said its exit code and was not gone soon enough
// for Wine: its server kills what takes more than half a second for that (start_sigkill_timer in
// server/process.c), and the code is lost. One in a hundred programs that end at a Ctrl-C does,
// standing still on the way out.
func LateForWine(cmd *exec.Cmd) bool {
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL && strings.Contains(filepath.Base(cmd.Path), "wine")
}

// OpenTerminal makes a pseudo terminal: the side of the keys and the side that
// a program sees. File.Fd is avoided: it would make reads of the keys blocking
// ones, which Close can't end.
func OpenTerminal() (keys, screen *os.File, err error) {
	keys, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	var number int
	var refused error
	raw, err := keys.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			if number, refused = unix.IoctlGetInt(int(fd), unix.TIOCGPTN); refused == nil {
				refused = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
			}
		})
	}
	if err = errors.Join(err, refused); err == nil {
		screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		return nil, nil, errors.Join(err, keys.Close())
	}
	return keys, screen, nil
}
