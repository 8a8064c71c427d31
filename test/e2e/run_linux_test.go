package e2e

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// once is a `run` of a script in a fresh container.
func once(image string, flags []string, script string) []string {
	args := append([]string{"run", "--rm", "--network", "none"}, flags...)
	return append(args, image, "sh", "-c", script)
}

func TestVersion(t *testing.T) {
	if o := compare(t, nil, "version"); !strings.Contains(o.stdout, "Server:") {
		t.Errorf("no server in %q", o.stdout)
	}
}

func TestRunExitCodes(t *testing.T) {
	_, s, _ := onStage(t)
	for _, code := range []int{0, 3} {
		o := compare(t, nil, once(s.Docker.Image, nil, fmt.Sprintf("echo out; echo err >&2; exit %d", code))...)
		if o.code != code || o.stdout != "out\n" || o.stderr != "err\n" {
			t.Errorf("exit %d: %+v", code, o)
		}
	}
}

// The codes of a run that did not come to run: 125 the engine refuses, 126 the
// program can't be started, 127 there is none.
func TestRunExitCodes125To127(t *testing.T) {
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

func TestRunOutputLate(t *testing.T) {
	_, s, _ := onStage(t)
	o := compare(t, nil, once(s.Docker.Image, nil, "sleep 2; echo late; echo later >&2")...)
	if o.stdout != "late\n" || o.stderr != "later\n" || o.code != 0 {
		t.Errorf("%+v", o)
	}
}

// The case that socat and npiperelay lose, with exit code 0: stdin ends at
// once, output comes 2 s later.
func TestRunInteractiveOutputLongAfterStdinEnded(t *testing.T) {
	_, s, _ := onStage(t)
	for _, input := range []string{"", "from stdin\n"} {
		give := func() io.Reader { return strings.NewReader(input) }
		o := compare(t, give, once(s.Docker.Image, []string{"-i"}, "cat; sleep 2; echo late; exit 3")...)
		if o.stdout != input+"late\n" || o.code != 3 {
			t.Errorf("input %q: %+v", input, o)
		}
	}
}

func TestParallelRuns(t *testing.T) {
	ctx, s, b := onStage(t)
	const runs = 64
	_, bridged := routes(s, b)
	var all sync.WaitGroup
	began := time.Now()
	for i := range runs {
		all.Go(func() {
			script := fmt.Sprintf("seq 1 500; echo %d; exit %d", i, i)
			o := bridged.run(ctx, t, s, nil, once(s.Docker.Image, nil, script)...)
			var want bytes.Buffer
			for n := range 500 {
				fmt.Fprintln(&want, n+1)
			}
			fmt.Fprintln(&want, i)
			if o.stdout != want.String() || o.code != i || o.stderr != "" {
				t.Errorf("run %d: exit code %d, %d bytes of %d, stderr %q", i, o.code, len(o.stdout), want.Len(), o.stderr)
			}
		})
	}
	all.Wait()
	t.Logf("%d runs at once took %v", runs, time.Since(began).Round(time.Millisecond))
}
