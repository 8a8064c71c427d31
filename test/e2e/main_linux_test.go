package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// shared is the stage that all tests play on, opened by the first test that needs it, and the
// bridges to dockerd in the default distro, each opened by the first that needs one of its kind.
var shared struct {
	once           sync.Once
	dir            string
	stage          *stage.Stage
	err            error
	windows, linux sharedBridge
}

type sharedBridge struct {
	once   sync.Once
	stage  *stage.Stage
	bridge *stage.Bridge
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := closeShared(); err != nil {
		fmt.Fprintln(os.Stderr, "close stage:", err)
		code = 1
	}
	os.Exit(code)
}

func openShared() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var err error
	if shared.dir, err = os.MkdirTemp("", "dwb-e2e-"); err != nil {
		return err
	}
	shared.stage, err = stage.Open(ctx, shared.dir, os.Stderr)
	return err
}

func (b *sharedBridge) open(s *stage.Stage, socket string) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	b.stage = s
	b.bridge, b.err = s.Up(ctx, s.Host(context.Background(), "up", "--json", "--pipe", s.EngineAt(), "--socket", socket))
}

func closeShared() error {
	var err error
	for _, b := range []*sharedBridge{&shared.windows, &shared.linux} {
		if b.bridge != nil {
			err = errors.Join(err, b.bridge.Close())
		}
	}
	if shared.stage != nil && err == nil {
		err = shared.stage.Close()
	}
	if shared.dir != "" && err == nil {
		err = os.Remove(shared.dir) // empty, if everything cleaned up
	}
	return err
}

// onStage gives the stage and the bridge on it, and bounds the test's time. What it proves does not
// hang on Windows, so that the product is a Linux program on both sides; in the long form it is the
// Windows program all the same.
func onStage(t *testing.T) (context.Context, *stage.Stage, *stage.Bridge) {
	t.Helper()
	if long() {
		return onWindows(t)
	}
	ctx := openStage(t)
	b := &shared.linux
	b.once.Do(func() { b.open(shared.stage.AllOnLinux(), runDir+"/linux.sock") })
	return b.on(ctx, t)
}

// onWindows is onStage with the Windows program, under Wine, in every form: for pipes, consoles,
// services, what is kept on Windows, and one case of every kind of client.
func onWindows(t *testing.T) (context.Context, *stage.Stage, *stage.Bridge) {
	t.Helper()
	ctx := openStage(t)
	b := &shared.windows
	b.once.Do(func() { b.open(shared.stage, runDir+"/windows.sock") })
	return b.on(ctx, t)
}

func openStage(t *testing.T) context.Context {
	t.Helper()
	lab.Need(t, stage.Parts...)
	shared.once.Do(func() { shared.err = openShared() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func (b *sharedBridge) on(ctx context.Context, t *testing.T) (context.Context, *stage.Stage, *stage.Bridge) {
	t.Helper()
	if b.err != nil {
		t.Fatal(b.err)
	}
	return ctx, b.stage, b.bridge
}

// long tells that the long forms were asked for (make test-full).
func long() bool { return os.Getenv("DWB_FULL") != "" }

// everyClient tells that all clients were asked for, those too that take long or have to be fetched
// (make test-full, make test-modern).
func everyClient() bool { return long() || lab.EngineDir() != "" }

// in is a file's place in a distro as seen from outside.
func in(s *stage.Stage, distro, path string) string { return filepath.Clean(s.VM.Path(distro, path)) }
