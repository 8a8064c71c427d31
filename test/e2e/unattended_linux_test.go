package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// A background is a `run`: a process that nobody sees.
type background struct {
	cmd   *exec.Cmd
	said  bytes.Buffer // which is to be nothing
	ended chan error
}

func runs(t *testing.T, cmd *exec.Cmd) *background {
	t.Helper()
	b := &background{cmd: cmd, ended: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = &b.said, &b.said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { b.ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return b
}

// endsWell wants it to end by itself now, with success and no word.
func (b *background) endsWell(t *testing.T) {
	t.Helper()
	select {
	case err := <-b.ended:
		if said := lab.WithoutWine(b.said.String()); err != nil && !lab.LateForWine(b.cmd) || said != "" {
			t.Errorf("it ended with %v and said %q", err, said)
		}
	case <-time.After(time.Minute):
		t.Error("it does not end")
	}
}

// What is missing at a logon is waited for, said by status and in the log, and served when it
// is there: WSL first, then the engine.
func TestRunWaitsForWhatIsMissing(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	const socket = runDir + "/run.sock"
	home := t.TempDir()
	bin, engine := filepath.Join(home, "bin"), filepath.Join(home, "engine.sock")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	program := func(args ...string) *exec.Cmd {
		cmd := s.Linux(context.WithoutCancel(ctx), args...)
		cmd.Env = append(cmd.Env, "PATH="+bin, "XDG_STATE_HOME="+home)
		return cmd
	}
	status := func(distro string) bridgeStatus {
		return bridges(t, program("status", "--json"))[distro+" "+socket]
	}
	b := runs(t, program("run", "--pipe", "unix:"+engine, "--socket", socket))
	until(ctx, t, "the lack of WSL to be told", func() bool { return status("(default)").State == "lost" })
	if got := status("(default)"); got.Works || !strings.Contains(got.Reason, "wsl.exe") || !strings.Contains(fmt.Sprint(got.Hints), "wsl --install") {
		t.Errorf("without WSL: %+v", got)
	}
	runs(t, program("run", "--pipe", "unix:"+engine, "--socket", socket)).endsWell(t)
	if err := os.Symlink(filepath.Join(s.Native(), "wsl.exe"), filepath.Join(bin, "wsl.exe")); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, "the socket to be served", func() bool { return status(stage.Debian).State == "ready" })
	if got := status(stage.Debian); got.Works || !strings.Contains(got.EngineError, "there is no such place") {
		t.Errorf("without an engine: %+v", got)
	}
	told, err := versionAs(ctx, s, stage.User, "unix://"+socket)
	if err == nil || !strings.Contains(told, "the Docker engine of Windows is not running") {
		t.Errorf("without an engine, docker version: %v: %s", err, told)
	}
	if err := os.Symlink(s.Docker.Socket, engine); err != nil {
		t.Fatal(err)
	}
	if told, err := versionAs(ctx, s, stage.User, "unix://"+socket); err != nil {
		t.Errorf("docker version: %v: %s", err, told)
	}
	if got := status(stage.Debian); !got.Works {
		t.Errorf("%+v", got)
	}
	runs(t, program("run", "--pipe", "unix:"+engine, "--socket", socket)).endsWell(t)
	o := said(t, program("logs"))
	contains(t, o.stdout, `msg="bridge starts"`, "state=ready socket="+socket)
	if o := said(t, program("stop")); o.code != 0 || !strings.Contains(o.stdout, "stopped the bridge for "+socket) {
		t.Errorf("stop: %+v", o)
	}
	b.endsWell(t)
	absent(t, s, stage.Debian, socket)
}

// One that waits for WSL is stopped like any other.
func TestRunIsStoppedWhileItWaits(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	home := t.TempDir()
	program := func(args ...string) *exec.Cmd {
		cmd := s.Linux(context.WithoutCancel(ctx), args...)
		cmd.Env = append(cmd.Env, "PATH="+home, "XDG_STATE_HOME="+home)
		return cmd
	}
	b := runs(t, program("run", "--pipe", "unix:/nowhere"))
	until(ctx, t, "it to run", func() bool { return len(bridges(t, program("status", "--json"))) == 1 })
	if o := said(t, program("stop")); o.code != 0 {
		t.Errorf("stop: %+v", o)
	}
	b.endsWell(t)
}

// A distro that is not there is told from one that was stopped or lost, with what cures it.
func TestRunTellsThatTheDistroIsGone(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	home := t.TempDir()
	program := func(args ...string) *exec.Cmd {
		cmd := s.Linux(context.WithoutCancel(ctx), args...)
		cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+home)
		return cmd
	}
	b := runs(t, program("run", "--distro", "Nowhere", "--pipe", "unix:"+s.Docker.Socket))
	var got bridgeStatus
	until(ctx, t, "the lack of the distro to be told", func() bool {
		got = bridges(t, program("status", "--json"))["Nowhere "+wardSocket]
		return got.State == "distro-gone"
	})
	if got.Works || !strings.Contains(got.Reason, "there is no distro of that name") || !strings.Contains(fmt.Sprint(got.Hints), "wsl --list --quiet") {
		t.Errorf("%+v", got)
	}
	contains(t, said(t, program("logs")).stdout, "level=WARN", "state=distro-gone error=")
	if o := said(t, program("stop")); o.code != 0 {
		t.Errorf("stop: %+v", o)
	}
	b.endsWell(t)
}

// The program without a console, under Wine, with no engine for Windows containers at first: the
// socket is served, and clients are told.
func TestRunWithoutAConsole(t *testing.T) {
	ctx, w := openWindowsWard(t)
	cmd := w.s.Wine.Command(context.WithoutCancel(ctx), stage.WindowsGUIExe(), "run", "--distro", w.distro)
	cmd.Env = append(cmd.Env, w.s.VM.Env()...)
	b := runs(t, cmd)
	until(ctx, t, "the socket to be served", func() bool { return w.status(ctx, t).State == "ready" })
	if got := w.status(ctx, t); got.Works || got.Link.Engine != "" || !strings.Contains(got.EngineError, "no windows engine found") {
		t.Errorf("without an engine: %+v", got)
	}
	r := route{name: "ward", host: "unix://" + wardSocket}
	if o := r.run(ctx, t, w.s, nil, "version"); o.code == 0 || !strings.Contains(o.stderr, "nobody listens at docker_engine_windows, ") {
		t.Errorf("without an engine, docker version: %+v", o)
	}
	const pipe = "dockerDesktopWindowsEngine"
	windowsEngine(ctx, t, w.s, pipe)
	if o := r.run(ctx, t, w.s, nil, "version"); o.code != 0 || !strings.Contains(o.stdout, "windows/amd64") {
		t.Errorf("docker version: %+v", o)
	}
	if got := w.status(ctx, t); !got.Works || got.Link.Engine != "npipe:////./pipe/"+pipe {
		t.Errorf("%+v", got)
	}
	if o := said(t, w.s.Windows(ctx, "stop", "--distro", w.distro)); o.code != 0 {
		t.Errorf("stop: %+v", o)
	}
	b.endsWell(t)
	if left := w.linux(t); len(left) > 0 {
		t.Errorf("left in the distro: %q", left)
	}
}
