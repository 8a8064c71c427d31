package e2e

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// A route is a way to the engine for a docker command in the distro.
type route struct {
	name, host string
	distro     string // where its commands run, if not where the stage's clients do
	command    string // another docker command than the first one on PATH
}

// debianDocker is the docker command of Debian 12, version 20.10, where
// another one comes first on PATH.
const debianDocker = "/usr/bin/docker"

// with is the same route for another docker command.
func (r route) with(command string) route {
	r.command = command
	return r
}

// routes are the bridge and the engine itself, to compare it with. The direct
// one is TCP on loopback, which has half-close just as a unix socket.
func routes(s *stage.Stage, b *stage.Bridge) (direct, bridged route) {
	return straight(s), route{name: "bridge", host: b.Host}
}

func straight(s *stage.Stage) route { return route{name: "direct", host: "tcp://" + s.Docker.TCP} }

// outcome is what a person sees of a command.
type outcome struct {
	stdout, stderr string
	code           int
}

// docker is a docker command of the distro's user on this route.
func (r route) docker(ctx context.Context, s *stage.Stage, args ...string) *exec.Cmd {
	argv := append([]string{cmp.Or(r.command, "docker"), "-H", r.host}, args...)
	if r.distro != "" {
		return s.VM.Command(ctx, r.distro, stage.User, argv...)
	}
	return s.Client(ctx, argv...)
}

// in is a file's place in its distro as seen from outside.
func (r route) in(s *stage.Stage, path string) string {
	return in(s, cmp.Or(r.distro, stage.Debian), path)
}

// A play is what people do with docker, on any routes: each is to do it well, and as the first does.
type play func(ctx context.Context, t *testing.T, s *stage.Stage, ways ...route)

// onBoth has it done straight at the engine and through the bridge.
func onBoth(t *testing.T, p play) {
	t.Helper()
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	p(ctx, t, s, direct, bridged)
}

// onBothByWindows is onBoth with the Windows program, in every form.
func onBothByWindows(t *testing.T, p play) {
	t.Helper()
	ctx, s, b := onWindows(t)
	direct, bridged := routes(s, b)
	p(ctx, t, s, direct, bridged)
}

// named is a name for what a play makes: others may be on at the same time, on other routes.
func named(what string, ways []route) string { return what + "-" + ways[len(ways)-1].name }

// run runs a docker command with an input, nil for none.
func (r route) run(ctx context.Context, t *testing.T, s *stage.Stage, input io.Reader, args ...string) outcome {
	t.Helper()
	return finish(t, r.docker(ctx, s, args...), input)
}

// finish runs a command to its end, however that is.
func finish(t *testing.T, cmd *exec.Cmd, input io.Reader) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%q: %v", cmd.Args, err)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must is run for steps that only prepare something.
func (r route) must(ctx context.Context, t *testing.T, s *stage.Stage, args ...string) string {
	t.Helper()
	o := r.run(ctx, t, s, nil, args...)
	if o.code != 0 {
		t.Fatalf("%s: docker %q: exit code %d: %s", r.name, args, o.code, o.stderr)
	}
	return o.stdout
}

// compare is alike for the engine itself and the bridge.
func compare(t *testing.T, input func() io.Reader, args ...string) outcome {
	t.Helper()
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	return alike(ctx, t, s, []route{direct, bridged}, input, args...)
}

// alike runs the same command on all routes and wants the outcome of the first from each.
// input makes a fresh input for each.
func alike(ctx context.Context, t *testing.T, s *stage.Stage, ways []route, input func() io.Reader, args ...string) (got outcome) {
	t.Helper()
	var want outcome
	for i, r := range ways {
		var in io.Reader
		if input != nil {
			in = input()
		}
		got = r.run(ctx, t, s, in, args...)
		if i == 0 {
			want = got
		}
		got = same(t, got, want, args...)
	}
	return got
}

// same wants two runs of a command to have had the same outcome, and gives it.
func same(t *testing.T, got, want outcome, args ...string) outcome {
	t.Helper()
	got, want = normalise(got, args[0]), normalise(want, args[0])
	if got.code != want.code {
		t.Errorf("docker %q: exit code %d, direct %d", args, got.code, want.code)
	}
	differs(t, "stdout", got.stdout, want.stdout)
	differs(t, "stderr", got.stderr, want.stderr)
	return got
}

func differs(t *testing.T, what, got, want string) {
	t.Helper()
	const shown = 2000
	if got != want {
		t.Errorf("%s differs:\nbridge %d bytes: %.*q\ndirect %d bytes: %.*q", what, len(got), shown, got, len(want), shown, want)
	}
}

// fields are what differs between two runs of a command even without a bridge.
// Nothing else is evened out.
var fields = []struct {
	name    string
	form    *regexp.Regexp
	command string // the only command whose outputs it is looked for in, if any
}{
	{"<id>", regexp.MustCompile(`\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b`), ""},
	{"<time>", regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)`), ""},
	// The docker command prints them in the order of a map, which is random.
	{"Runtimes: <runtimes>", regexp.MustCompile(`\bRuntimes: .+`), "info"},
	// What a container uses is another amount at every moment.
	{"<amount>", regexp.MustCompile(`\b\d+(?:\.\d+)?(?:e[+-]\d+)?(?:%|[kKMGT]?i?B\b)`), "stats"},
	// The head of every answer has the second in which it was made.
	{"<date>", regexp.MustCompile(`\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\b`), "http"},
}

func normalise(o outcome, command string) outcome {
	for _, f := range fields {
		if f.command != "" && f.command != command {
			continue
		}
		o.stdout = f.form.ReplaceAllString(o.stdout, f.name)
		o.stderr = f.form.ReplaceAllString(o.stderr, f.name)
	}
	return o
}

// container starts one that stays until the test ends, with the given name and
// command, straight at the engine.
func container(ctx context.Context, t *testing.T, s *stage.Stage, name string, command ...string) {
	t.Helper()
	direct := straight(s)
	args := []string{"run", "-d", "--network", "none", "--name", name, s.Docker.Image}
	direct.must(ctx, t, s, append(args, command...)...)
	t.Cleanup(func() { direct.must(context.WithoutCancel(ctx), t, s, "rm", "-f", name) })
}
