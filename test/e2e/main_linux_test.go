package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// shared is the stage that all tests play on, and a bridge to dockerd in the
// default distro. They are opened by the first test that needs them.
var shared struct {
	once   sync.Once
	dir    string
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
	if shared.stage, err = stage.Open(ctx, shared.dir, os.Stderr); err != nil {
		return err
	}
	s := shared.stage
	shared.bridge, err = s.Up(ctx, s.Windows(context.Background(), "up", "--json", "--pipe", stage.EnginePipe))
	return err
}

func closeShared() error {
	var err error
	if shared.bridge != nil {
		err = shared.bridge.Close()
	}
	if shared.stage != nil && err == nil {
		err = shared.stage.Close()
	}
	if shared.dir != "" && err == nil {
		err = os.Remove(shared.dir) // empty, if everything cleaned up
	}
	return err
}

// onStage gives the stage and the bridge on it, and bounds the test's time.
func onStage(t *testing.T) (context.Context, *stage.Stage, *stage.Bridge) {
	t.Helper()
	lab.Need(t, stage.Parts...)
	shared.once.Do(func() { shared.err = openShared() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx, shared.stage, shared.bridge
}

// long tells that the long forms were asked for (make test-full).
func long() bool { return os.Getenv("DWB_FULL") != "" }

// everyClient tells that all clients were asked for, those too that take long or have to be fetched
// (make test-full, make test-modern).
func everyClient() bool { return long() || lab.EngineDir() != "" }

// in is a file's place in a distro as seen from outside.
func in(s *stage.Stage, distro, path string) string { return filepath.Clean(s.VM.Path(distro, path)) }
