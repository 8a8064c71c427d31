package e2e

import (
	"context"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/recorder"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// stranger owns a pipe and is neither the system nor an administrator nor the
// user of the bridge. On Windows a pipe is made his by his making it, here by
// the pipe's own access list.
const stranger = "S-1-5-21-1-2-3-1001"

// heardNothing wants that a pipe's owner got no byte of a request.
func heardNothing(t *testing.T, r *recorder.Recorder) {
	t.Helper()
	if got := r.Requests(); len(got) > 0 {
		t.Errorf("the stranger was asked %+v", got)
	}
}

// A pipe that somebody else has made is no engine, even if it is the first
// that is looked for and answers as one.
func TestPipeOfAStranger(t *testing.T) {
	ctx, s, _ := onWindows(t)
	const socket = "/run/docker-wsl-bridge/stranger.sock"
	squatter := windowsEngine(ctx, t, s, "docker_engine_windows@"+stranger)

	said := upFails(ctx, t, s, "--socket", socket)
	contains(t, said, "docker_engine_windows: ", "belongs to somebody else ("+stranger+")",
		"hint: DWB202: the pipe belongs to "+stranger+"; to let that account see all that clients send, run: docker-wsl-bridge up --pipe docker_engine_windows --trust-pipe-owner")
	said = upFails(ctx, t, s, "--pipe", "docker_engine_windows", "--socket", socket)
	contains(t, said, "belongs to somebody else ("+stranger+")", "--trust-pipe-owner")
	absent(t, s, stage.Debian, socket)

	engine := windowsEngine(ctx, t, s, "dockerDesktopWindowsEngine")
	b := serve(ctx, t, s, "--socket", socket)
	if want := "npipe:////./pipe/dockerDesktopWindowsEngine"; b.Engine != want {
		t.Errorf("it took %s, want %s", b.Engine, want)
	}
	letsIn(ctx, t, s, stage.User, b.Host)
	if len(engine.Requests()) < 2 {
		t.Errorf("the engine was asked %+v", engine.Requests())
	}
	heardNothing(t, squatter)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = serve(ctx, t, s, "--pipe", "docker_engine_windows", "--trust-pipe-owner", "--socket", socket)
	letsIn(ctx, t, s, stage.User, b.Host)
	if len(squatter.Requests()) < 2 {
		t.Errorf("told to trust it, it was asked %+v", squatter.Requests())
	}
}

// The system may own it as well as the administrators, who own all other pipes
// of these tests.
func TestPipeOfTheSystem(t *testing.T) {
	ctx, s, _ := onWindows(t)
	windowsEngine(ctx, t, s, "system@SY")
	b := serve(ctx, t, s, "--pipe", "system", "--socket", "/run/docker-wsl-bridge/system.sock")
	letsIn(ctx, t, s, stage.User, b.Host)
}

// The name of an engine that has ended is free: whoever takes it gets no
// connection of a bridge that serves.
func TestPipeChangesHands(t *testing.T) {
	ctx, s, _ := onWindows(t)
	const name = "changing"
	front, err := s.Wine.StartFront(ctx, map[string]string{name: s.Docker.TCP})
	if err != nil {
		t.Fatal(err)
	}
	b := serve(ctx, t, s, "--pipe", name, "--socket", "/run/docker-wsl-bridge/changing.sock")
	letsIn(ctx, t, s, stage.User, b.Host)
	if err := front.Close(); err != nil {
		t.Fatal(err)
	}
	t.Run("to a stranger", func(t *testing.T) {
		squatter := windowsEngine(ctx, t, s, name+"@"+stranger)
		if out, err := versionAs(ctx, s, stage.User, b.Host); err == nil {
			t.Errorf("docker version through a stranger's pipe: %s", out)
		}
		heardNothing(t, squatter)
	})
	if front, err = s.Wine.StartFront(context.WithoutCancel(ctx), map[string]string{name: s.Docker.TCP}); err != nil {
		t.Fatal(err)
	}
	letsIn(ctx, t, s, stage.User, b.Host)
	if err := front.Close(); err != nil {
		t.Fatal(err)
	}
}
