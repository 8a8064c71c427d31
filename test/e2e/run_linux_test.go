package e2e

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// once is a `run` of a script in a fresh container.
func once(image string, flags []string, script string) []string {
	args := append([]string{"run", "--rm", "--network", "none"}, flags...)
	return append(args, image, "sh", "-c", script)
}

// `version` tells of the engine.
func TestVersion(t *testing.T) {
	t.Parallel()
	if o := compare(t, nil, "version"); !strings.Contains(o.stdout, "Server:") {
		t.Errorf("no server in %q", o.stdout)
	}
}

// `run` ends with the exit codes 0 and 3 of its container.
func TestRunExitCodes(t *testing.T) {
	t.Parallel()
	onBothByWindows(t, runExitCodes)
}

func runExitCodes(ctx context.Context, t *testing.T, s *stage.Stage, ways ...route) {
	for _, code := range []int{0, 3} {
		o := alike(ctx, t, s, ways, nil, once(s.Docker.Image, nil, fmt.Sprintf("echo out; echo err >&2; exit %d", code))...)
		if o.code != code || o.stdout != "out\n" || o.stderr != "err\n" {
			t.Errorf("exit %d: %+v", code, o)
		}
	}
}

// The codes of a run that did not come to run: 125 the engine refuses, 126 the
// program can't be started, 127 there is none.
func TestRunExitCodes125To127(t *testing.T) {
	t.Parallel()
	_, s, _ := onStage(t)
	run := []string{"run", "--rm", "--network", "none"}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--pull", "never", "no-such-image"}, 125, "No such image"},
		{[]string{"--memory", "1k", s.Docker.Image}, 125, "memory"},
		{[]string{s.Docker.Image, "/etc/passwd"}, 126, "permission denied"},
		{[]string{s.Docker.Image, "no-such-program"}, 127, "not found"},
	} {
		o := compare(t, nil, slices.Concat(run, c.args)...)
		if o.code != c.code || o.stdout != "" || !strings.Contains(o.stderr, c.says) {
			t.Errorf("%q: %+v, want exit code %d and %q", c.args, o, c.code, c.says)
		}
	}
}

// Output of `run` that begins 2 s after the start.
func TestRunOutputLate(t *testing.T) {
	t.Parallel()
	_, s, _ := onStage(t)
	o := compare(t, nil, once(s.Docker.Image, nil, "sleep 2; echo late; echo later >&2")...)
	if o.stdout != "late\n" || o.stderr != "later\n" || o.code != 0 {
		t.Errorf("%+v", o)
	}
}

// Stdin ends at once, output comes 2 s later: more than the half second that socat
// with a plain EXEC waits, which loses it, with exit code 0.
func TestRunInteractiveOutputLongAfterStdinEnded(t *testing.T) {
	t.Parallel()
	onBothByWindows(t, runOutputAfterInput)
}

func runOutputAfterInput(ctx context.Context, t *testing.T, s *stage.Stage, ways ...route) {
	for _, input := range []string{"", "from stdin\n"} {
		give := func() io.Reader { return strings.NewReader(input) }
		o := alike(ctx, t, s, ways, give, once(s.Docker.Image, []string{"-i"}, "cat; sleep 2; echo late; exit 3")...)
		if o.stdout != input+"late\n" || o.code != 3 {
			t.Errorf("input %q: %+v", input, o)
		}
	}
}

// 16 `run`s at once (64 in the long form).
func TestParallelRuns(t *testing.T) {
	ctx, s, b := onStage(t)
	_, bridged := routes(s, b)
	runs := 16
	if long() {
		runs = 64
	}
	parallelRuns(runs)(ctx, t, s, bridged)
}

func parallelRuns(runs int) play {
	return func(ctx context.Context, t *testing.T, s *stage.Stage, ways ...route) {
		for _, r := range ways {
			var all sync.WaitGroup
			began := time.Now()
			for i := range runs {
				all.Go(func() {
					o := r.run(ctx, t, s, nil, once(s.Docker.Image, nil, fmt.Sprintf("seq 1 500; echo %d; exit %d", i, i))...)
					if want := fmt.Sprintf("%s%d\n", countTo(500), i); o.stdout != want || o.code != i || o.stderr != "" {
						t.Errorf("run %d: exit code %d, %d bytes of %d, stderr %q", i, o.code, len(o.stdout), len(want), o.stderr)
					}
				})
			}
			all.Wait()
			t.Logf("%s: %d runs at once took %v", r.name, runs, time.Since(began).Round(time.Millisecond))
		}
	}
}
