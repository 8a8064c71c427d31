package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// `info` tells of the engine.
func TestInfo(t *testing.T) {
	if o := compare(t, nil, "info"); o.code != 0 || !strings.Contains(o.stdout, "Storage Driver: ") {
		t.Errorf("%+v", o)
	}
}

// usage is everything that `stats` knows, without the padding of a table,
// which depends on how long the numbers are.
const usage = "{{.Name}} {{.ID}} {{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.NetIO}} {{.BlockIO}} {{.PIDs}} processes"

// used is a line of that, normalised, less the number of processes.
const used = "<id> <amount> <amount> / <amount> <amount> <amount> / <amount> <amount> / <amount> "

// `stats --no-stream` of one container.
func TestStatsOnce(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	container(ctx, t, s, "measured", "sleep", "600")
	o := compare(t, nil, "stats", "--no-stream", "--format", usage, "measured")
	if want := "measured " + used + "1 processes\n"; o.stdout != want || o.code != 0 {
		t.Errorf("got %+v, want %q", o, want)
	}
}

// The stream of numbers follows the container, and the end of its reader
// reaches the engine.
func TestStatsStream(t *testing.T) {
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	for _, r := range []route{direct, bridged} {
		t.Run(r.name, func(t *testing.T) {
			container(ctx, t, s, "busy", "sleep", "600")
			idleEngine(ctx, t, s)
			f := follow(ctx, t, s, r, "stats", "--format", usage, "busy")
			awaitUsage(t, f, "1 processes")
			direct.must(ctx, t, s, "exec", "-d", "busy", "sleep", "600")
			awaitUsage(t, f, "2 processes")
			if err := f.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			idleEngine(ctx, t, s)
		})
	}
}

// awaitUsage reads until a line has this number of processes. Lines before the
// first numbers have dashes, and some begin with the codes that clear a screen.
func awaitUsage(t *testing.T, f *follower, processes string) {
	t.Helper()
	for !strings.Contains(normalise(outcome{stdout: f.next(t)}, "stats").stdout, "busy "+used+processes) {
	}
}

// `wait` says nothing until the container ends, and then its exit code.
func TestWait(t *testing.T) {
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	container(ctx, t, s, "awaited", "sh", "-c", "while [ ! -e /tmp/end ]; do sleep 0.1; done; exit 7")
	idleEngine(ctx, t, s)
	var waiting []*follower
	for _, r := range []route{direct, bridged} {
		waiting = append(waiting, follow(ctx, t, s, r, "wait", "awaited"))
	}
	until(ctx, t, "both to wait", func() bool { return engineConns(t, s) >= len(waiting) })
	direct.must(ctx, t, s, "exec", "awaited", "touch", "/tmp/end")
	for i, f := range waiting {
		if lines, err := f.rest(); err != nil || strings.Join(lines, "\n") != "7" {
			t.Errorf("wait %d: %q, %v", i, lines, err)
		}
	}
	compare(t, nil, "wait", "awaited") // one that has ended already
}

// The columns are named: the usual ones have the share of the processor, which
// is another one at every moment.
func TestTop(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	container(ctx, t, s, "listed", "sleep", "600")
	awaitProgram(ctx, t, s, "listed", "sleep 600")
	o := compare(t, nil, "top", "listed", "-o", "user,pid,ppid,tty,args")
	if o.code != 0 || !strings.Contains(o.stdout, "sleep 600") {
		t.Errorf("%+v", o)
	}
	if o := compare(t, nil, "top", "no-such-container"); o.code != 1 {
		t.Errorf("%+v", o)
	}
}

// awaitProgram waits until a container's first process has become its program.
func awaitProgram(ctx context.Context, t *testing.T, s *stage.Stage, name, program string) {
	t.Helper()
	direct := straight(s)
	until(ctx, t, program+" to run", func() bool {
		return strings.Contains(direct.run(ctx, t, s, nil, "top", name).stdout, program)
	})
}
