package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// A bridgeStatus is what `status --json` tells of one bridge, as far as these
// tests look.
type bridgeStatus struct {
	PID  int
	Link struct {
		Kind, Distro, Socket, Mode, Owner, Engine, Host string

		Uids []int
	}
	Works  bool
	State  string
	Reason string

	Streams          int
	RoundTripSeconds float64
	Engine           struct{ OSType, Version string }
	EngineError      string
	Hints            []codes.Hint
	Log              string
}

// said runs a command that ends by itself.
func said(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%q: %v: %s", cmd.Args, err, &stderr)
	}
	return outcome{stdout.String(), lab.WithoutWine(stderr.String()), cmd.ProcessState.ExitCode()}
}

// bridges are what `status --json` tells, by distro and socket.
func bridges(t *testing.T, cmd *exec.Cmd) map[string]bridgeStatus {
	t.Helper()
	o := said(t, cmd)
	var told struct{ Bridges []bridgeStatus }
	if err := json.Unmarshal([]byte(o.stdout), &told); err != nil {
		t.Fatalf("status: %v: %+v", err, o)
	}
	all := map[string]bridgeStatus{}
	well := len(told.Bridges) > 0
	for _, b := range told.Bridges {
		all[b.Link.Distro+" "+b.Link.Socket] = b
		well = well && b.Works
	}
	if well != (o.code == 0) && !lab.LateForWine(cmd) {
		t.Errorf("status: exit code %d with %s", o.code, o.stdout)
	}
	return all
}

// status is the ward's bridge, as Windows tells of it.
func (w *ward) status(ctx context.Context, t *testing.T) bridgeStatus {
	t.Helper()
	return bridges(t, w.s.Host(ctx, "status", "--json"))[w.distro+" "+wardSocket]
}

// `status` tells what is served, its engine and its carrier as they are now.
func TestStatus(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	w.logging(ctx, t) // a connection
	began := time.Now()
	b := w.status(ctx, t)
	t.Logf("status took %v", time.Since(began).Round(time.Millisecond))
	if !b.Works || b.State != "ready" || b.PID == 0 || b.Streams != 1 || b.RoundTripSeconds <= 0 || b.RoundTripSeconds > 1 {
		t.Errorf("%+v", b)
	}
	if b.Link.Kind != "docker" || b.Link.Mode != "0660" || b.Link.Owner != "root:docker" || b.Link.Engine != w.b.Engine {
		t.Errorf("%+v", b.Link)
	}
	if b.Engine.OSType != "linux" || !strings.Contains(w.b.Output(), b.Engine.Version) || b.EngineError != "" || len(b.Hints) > 0 {
		t.Errorf("%+v", b)
	}
	o := said(t, w.s.Host(ctx, "status"))
	contains(t, o.stdout, wardSocket+" in "+w.distro+"  root:docker 0660", "works, since ", "for linux containers", "1 connections, round trip ", fmt.Sprintf("pid %d, version ", b.PID), b.Log)
}

// What does not work is told with what cures it, as it is at the moment.
func TestStatusTellsWhatCuresIt(t *testing.T) {
	t.Parallel()
	ctx, all, _ := onWindows(t)
	front, err := all.Wine.StartFront(ctx, map[string]string{"going": all.Docker.TCP})
	if err != nil {
		t.Fatal(err)
	}
	gone := false
	t.Cleanup(func() {
		if !gone {
			_ = front.Close()
		}
	})
	_, w := onWindowsWard(t, "--pipe", "going")
	until(ctx, t, "it to work", func() bool { return w.status(ctx, t).Works })
	gone = true
	if err := front.Close(); err != nil {
		t.Fatal(err)
	}
	b := w.status(ctx, t)
	if b.Works || b.State != "ready" || !strings.Contains(b.EngineError, "there is no such place") {
		t.Errorf("without its engine: %+v", b)
	}
	contains(t, fmt.Sprint(b.Hints), "to start an engine that is a service ", "docker-wsl-bridge doctor")
	if err := w.s.VM.Terminate(w.distro); err != nil {
		t.Fatal(err)
	}
	w.happens(ctx, t, "distro-stopped", 1)
	b = w.status(ctx, t)
	if b.Works || b.State != "distro-stopped" {
		t.Errorf("in a stopped distro: %+v", b)
	}
	contains(t, fmt.Sprint(b.Hints), "to have the distro run, and served again within 10 s, run: wsl --distro "+w.distro)
}

// stop does what Ctrl-C does, and is done when it has happened.
func TestStop(t *testing.T) {
	t.Parallel()
	ctx, w := onWindowsWard(t)
	client := w.logging(ctx, t)
	b := w.status(ctx, t)
	began := time.Now()
	o := said(t, w.s.Host(ctx, "stop", "--distro", w.distro))
	took := time.Since(began)
	want := outcome{stdout: fmt.Sprintf("stopped the bridge for %s in %s (pid %d)\n", wardSocket, w.distro, b.PID)}
	if o != want {
		t.Errorf("%+v, want %+v", o, want)
	}
	// Nothing is left by now, nor of what is left a second stop.
	absent(t, w.s, w.distro, wardSocket)
	if ended(ctx, t, w.b); !strings.HasSuffix(w.b.Output(), "{\"event\":\"stopped\"}\n") {
		t.Errorf("it said %s", w.b.Output())
	}
	if _, err := client.rest(); err == nil {
		t.Error("the client's connection was not cut")
	}
	if took < 5*time.Second {
		t.Errorf("the client had only %v to come to its end", took)
	}
	t.Logf("stop took %v, with a connection that does not end", took.Round(time.Millisecond))
	if o := said(t, w.s.Host(ctx, "stop", "--distro", w.distro)); o != (outcome{stdout: "no bridge runs in " + w.distro + "\n"}) {
		t.Errorf("once more: %+v", o)
	}
	if left := w.linux(t); len(left) > 0 {
		t.Errorf("left in the distro: %q", left)
	}
	// And the place is free at once.
	again, err := w.s.Up(ctx, w.command(ctx))
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// A second `up` for a place is told who serves it, and how that ends.
func TestSecondUpIsToldWhoRuns(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	b := w.status(ctx, t)
	told := upFails(ctx, t, w.s, "--pipe", w.s.EngineAt(), "--distro", strings.ToUpper(w.distro))
	contains(t, told, fmt.Sprintf("it is served already, by pid %d since ", b.PID),
		"hint: DWB304: to end it, run: docker-wsl-bridge stop --distro "+w.distro+" --socket "+wardSocket+"\n")
	w.works(ctx, t)
	// Once it was killed the place is free.
	if err := w.b.Kill(); err != nil {
		t.Fatal(err)
	}
	if b := w.status(ctx, t); b.PID != 0 {
		t.Errorf("a killed bridge has the status %+v", b)
	}
	w.up(ctx, t)
	w.works(ctx, t)
}

// The same without Windows, where exit code 0 can be told from the others'.
func TestNativeStatusAndStop(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	const socket = runDir + "/control.sock"
	home := t.TempDir() // there are no bridges but this one
	program := func(args ...string) *exec.Cmd {
		cmd := s.Linux(context.WithoutCancel(ctx), args...)
		cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+home)
		return cmd
	}
	b, err := s.Up(ctx, program("up", "--json", "--pipe", "unix:"+s.Docker.Socket, "--socket", socket))
	if err != nil {
		t.Fatal(err)
	}
	o := said(t, program("status"))
	if o.code != 0 || o.stderr != "" || !strings.Contains(o.stdout, socket) {
		t.Errorf("status: %+v", o)
	}
	if o := said(t, program("stop")); o.code != 0 || strings.Count(o.stdout, "stopped") != 1 {
		t.Errorf("stop: %+v", o)
	}
	ended(ctx, t, b)
	absent(t, s, stage.Debian, socket)
}

// logFiles are those of a ward's bridge, with what they say.
func logFiles(t *testing.T, s *stage.Stage, distro string) (text string) {
	t.Helper()
	files := s.StateFiles("logs/" + distro + "-*.log*")
	if len(files) == 0 {
		t.Fatalf("%s has no logs", distro)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text += string(b)
	}
	return text
}

// What happened is in the log, and comes to whoever follows it.
func TestLogs(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	console, err := w.s.Wine.Console(w.s.Host(context.WithoutCancel(ctx), "logs", "-f", "--distro", w.distro))
	if err != nil {
		t.Fatal(err)
	}
	following := &stage.Bridge{Console: console}
	agent, _ := agentOf(t, w.b)
	kill(t, newcomer(t, w.linux(t), agent))
	for _, line := range []string{
		`level=INFO msg="bridge starts" version=`, `msg="link windows" state=ready socket=` + wardSocket + " mode=0660 owner=root:docker",
		`msg="link windows" state=lost error=`, `state=starting`,
	} {
		if err := following.Await(ctx, line); err != nil {
			t.Error(err)
		}
	}
	w.happens(ctx, t, "ready", 2)
	if err := w.b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := following.Await(ctx, `level=INFO msg="bridge ends"`); err != nil {
		t.Error(err)
	}
	if err := following.Close(); err != nil {
		t.Errorf("Ctrl-C ends it: %v", err)
	}
	harmless(t, strings.ReplaceAll(following.Output(), "\r", ""))
	o := said(t, w.s.Host(ctx, "logs", "--lines", "1", "--distro", w.distro))
	if o.code != 0 || strings.Count(o.stdout, "\n") != 1 || !strings.Contains(o.stdout, `msg="bridge ends"`) {
		t.Errorf("the last line: %+v", o)
	}
	if text := logFiles(t, w.s, w.distro); strings.Contains(text, "level=DEBUG") {
		t.Errorf("without --debug it logged %s", text)
	}
}
