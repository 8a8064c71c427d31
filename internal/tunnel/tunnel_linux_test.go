package tunnel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
)

// The clock jumps: a process that was stopped finds all its timers over at once, as one does
// whose machine has slept. The answer that comes right then is no late one.
func TestASleepIsNoLateAnswer(t *testing.T) {
	t.Parallel()
	type sleeper struct {
		pid    int
		answer io.Writer
		said   *bufio.Reader
	}
	var all []sleeper
	for range 8 {
		cmd := self(t, "sleeper")
		stdin, err1 := cmd.StdinPipe()
		stdout, err2 := cmd.StdoutPipe()
		if err := errors.Join(err1, err2, cmd.Start()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		s := sleeper{cmd.Process.Pid, stdin, bufio.NewReader(stdout)}
		if line, err := s.said.ReadString('\n'); line != "waiting\n" {
			t.Fatal(line, err)
		}
		if err := syscall.Kill(s.pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	<-time.After(pingTime + pingTime/5) // the time that passes is what is tested
	for _, s := range all {
		if err := syscall.Kill(s.pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(s.answer, "answer\n") // whoever has given up is gone
		if line, err := s.said.ReadString('\n'); line != "true\n" {
			t.Errorf("it has arrived: %q, %v", line, err)
		}
	}
}

// running is a daemon with a wsl.exe of its own.
type running struct {
	dir    string
	events chan Event
	leave  context.CancelFunc
	ended  chan error
}

// runTunnel runs one until it serves.
func runTunnel(t *testing.T) (r *running, first bridge.Listening) {
	t.Helper()
	r = &running{dir: t.TempDir(), events: make(chan Event, 100), ended: make(chan error, 1)}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\n%s=wsl %s=%s exec %s \"$@\"\n", roleEnv, dirEnv, r.dir, exe)
	// A process that another test forks meanwhile would have the file open for writing, and nobody could
	// run it then (golang/go#22315).
	syscall.ForkLock.RLock()
	err = os.WriteFile(filepath.Join(r.dir, "wsl.exe"), []byte(script), 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	r.set(t, "D\n")
	d := r.tunnel()
	d.Report = func(e Event) { r.events <- e }
	var ctx context.Context
	ctx, r.leave = context.WithCancel(context.Background())
	t.Cleanup(r.leave)
	go func() { r.ended <- d.Run(ctx) }()
	return r, r.until(t, Serving).Where
}

func (r *running) tunnel() *Tunnel {
	nobody := func(context.Context) (net.Conn, error) { return nil, fs.ErrNotExist }
	return &Tunnel{
		WSL: distro.AtPath(filepath.Join(r.dir, "wsl.exe")), Agent: deploy.Binary{Hash: bridge.BuildID{1}.String()},
		Distro: "D", Links: []Link{{Name: "engine", Listen: bridge.Listen{Link: "engine", Socket: r.socket()}, Dial: nobody}},
		Log: slog.New(slog.DiscardHandler),
	}
}

func (r *running) socket() string { return filepath.Join(r.dir, "s") }

// set tells which distros run.
func (r *running) set(t *testing.T, names string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, "running"), []byte(names), 0o600); err != nil {
		t.Fatal(err)
	}
}

// asked is what was started in the distro, by its first words.
func (r *running) asked(t *testing.T) (words []string) {
	t.Helper()
	said, err := os.ReadFile(filepath.Join(r.dir, "asked"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(said)) {
		words = append(words, strings.Fields(line)[0])
	}
	return words
}

// until waits for an event.
func (r *running) until(t *testing.T, want State) Event {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case e := <-r.events:
			if e.State == want {
				return e
			}
		case err := <-r.ended:
			t.Fatalf("it ended with %v before it was %s", err, want)
		case <-limit:
			t.Fatalf("it is not %s", want)
		}
	}
}

// end asks it to leave and wants success, and nothing to be left.
func (r *running) end(t *testing.T) {
	t.Helper()
	r.leave()
	select {
	case err := <-r.ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	if _, err := os.Lstat(r.socket()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its socket: %v", err)
	}
}

func kill(t *testing.T, where bridge.Listening) {
	t.Helper()
	if err := syscall.Kill(where.Agent.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// What is lost is cleaned up after and comes back.
func TestALostAgentComesBack(t *testing.T) {
	t.Parallel()
	r, first := runTunnel(t)
	kill(t, first)
	var lost *LostError
	if e := r.until(t, Lost); !errors.As(e.Err, &lost) || e.Pause <= 0 {
		t.Errorf("lost: %v, next attempt in %v", e.Err, e.Pause)
	}
	if second := r.until(t, Serving).Where; second.Agent.PID == first.Agent.PID {
		t.Errorf("served by %+v again", second)
	}
	if asked := r.asked(t); !slices.Equal(asked, []string{"serve", "clean", "serve"}) {
		t.Errorf("started %q", asked)
	}
	r.end(t)
}

// An agent that went with its distro leaves nothing to be cleaned up, and nothing is
// started for it.
func TestAStoppedDistroIsNotStarted(t *testing.T) {
	t.Parallel()
	r, first := runTunnel(t)
	r.set(t, "another\n")
	kill(t, first)
	r.until(t, Stopped)
	r.leave()
	if err := <-r.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if asked := r.asked(t); !slices.Equal(asked, []string{"serve"}) {
		t.Errorf("started %q", asked)
	}
}

// Who leaves while a lost agent is cleaned up after has left well.
func TestLeavingDuringTheCleanUpIsSuccess(t *testing.T) {
	t.Parallel()
	r, first := runTunnel(t)
	fifo := filepath.Join(r.dir, "clean")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	kill(t, first)
	f, err := os.OpenFile(fifo, os.O_WRONLY, 0) // waits for its reader
	if err != nil {
		t.Fatal(err)
	}
	r.leave()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r.end(t)
}

// The first start is for a person, who is told what is wrong, once.
func TestAFailedFirstStartIsTold(t *testing.T) {
	t.Parallel()
	r, _ := runTunnel(t)
	other := r.tunnel()
	other.Report = func(e Event) {
		if e.State == Lost {
			t.Error("it is to be tried again")
		}
	}
	var socket *SocketError
	if err := other.Run(t.Context()); !errors.As(err, &socket) {
		t.Errorf("it ended with %v", err)
	}
	r.end(t)
}

// With nobody there to be told, a first start that fails is tried again like every other. The
// distro has come up by then: whoever stops it is not thwarted.
func TestAPersistentFirstStartIsTriedAgain(t *testing.T) {
	t.Parallel()
	r, _ := runTunnel(t)
	other := &running{dir: r.dir, events: make(chan Event, 100), ended: make(chan error, 1)}
	d := r.tunnel()
	d.Persist, d.Report = true, func(e Event) { other.events <- e }
	var ctx context.Context
	ctx, other.leave = context.WithCancel(context.Background())
	t.Cleanup(other.leave)
	go func() { other.ended <- d.Run(ctx) }()
	var socket *SocketError
	if e := other.until(t, Lost); !errors.As(e.Err, &socket) {
		t.Errorf("lost: %v", e.Err)
	}
	r.set(t, "another\n")
	other.until(t, Stopped)
	r.set(t, "D\n")
	r.end(t)
	other.until(t, Serving)
	other.end(t)
}
