package e2e

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// An engine is a dockerd of a test's own with its named pipe, both of which go
// and come as those of dockerd.exe do.
type engine struct {
	*lab.Docker
	pipe  string
	front *lab.Front
}

// startEngine starts one that ends with the test.
func startEngine(ctx context.Context, t *testing.T, s *stage.Stage, pipe string) *engine {
	t.Helper()
	dir, err := os.MkdirTemp("", "dwb-engine-")
	if err != nil {
		t.Fatal(err)
	}
	docker, err := lab.StartDocker(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{Docker: docker, pipe: pipe}
	t.Cleanup(func() {
		if err := errors.Join(e.stop(), e.Close(), os.Remove(dir)); err != nil {
			t.Error(err)
		}
	})
	e.listen(ctx, t, s)
	return e
}

func (e *engine) listen(ctx context.Context, t *testing.T, s *stage.Stage) {
	t.Helper()
	var err error
	if e.front, err = s.Wine.StartFront(ctx, map[string]string{e.pipe: e.TCP}); err != nil {
		t.Fatal(err)
	}
}

// stop ends it as a service is stopped: the containers, then the listeners.
func (e *engine) stop() error {
	err := e.Stop()
	if e.front != nil {
		err = errors.Join(err, e.front.Close())
	}
	e.front = nil
	return err
}

// The engine is stopped under clients that follow it, and started again: they
// end as they do without a bridge, the bridge stays and serves what comes then.
func TestEngineRestartedUnderFollowers(t *testing.T) {
	ctx, s, _ := onWindows(t)
	const pipe, socket, name = "docker_engine_restarted", runDir + "/restarted.sock", "restarted"
	e := startEngine(ctx, t, s, pipe)
	b := serve(ctx, t, s, "--pipe", pipe, "--socket", socket)
	direct, bridged := route{name: "direct", host: "tcp://" + e.TCP}, route{name: "bridge", host: b.Host}
	direct.must(ctx, t, s, "run", "-d", "--network", "none", "--name", name, e.Image, "sh", "-c", "echo first; sleep 600")
	for _, args := range [][]string{
		{"logs", "-f", name}, // ends with the container
		{"events", "--since", "1h", "--filter", "event=start", "--format", "{{.Action}}"}, // is cut
	} {
		var followers [2]*follower
		for i, r := range []route{direct, bridged} {
			followers[i] = follow(ctx, t, s, r, args...)
			followers[i].next(t)
		}
		if err := e.stop(); err != nil {
			t.Fatal(err)
		}
		wantSameRest(t, args, followers[1], followers[0])
		if o := bridged.run(ctx, t, s, nil, "version"); o.code != 1 {
			t.Errorf("version without an engine: %+v", o)
		}
		if err := e.Start(ctx); err != nil {
			t.Fatal(err)
		}
		e.listen(ctx, t, s)
		version := direct.run(ctx, t, s, nil, "version")
		same(t, bridged.run(ctx, t, s, nil, "version"), version, "version")
		bridged.must(ctx, t, s, "start", name)
	}
}

// wantSameRest wants two followers to show the same until they end, and to end
// the same way.
func wantSameRest(t *testing.T, args []string, got, want *follower) {
	t.Helper()
	lines, err := want.rest()
	o := outcome{stdout: strings.Join(lines, "\n"), code: codeOf(t, err)}
	lines, err = got.rest()
	same(t, outcome{stdout: strings.Join(lines, "\n"), code: codeOf(t, err)}, o, args...)
	t.Logf("%q ended with exit code %d", args, o.code)
}
