package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// step is one docker-compose command of a story. Those with several containers
// at work at once tell of them in any order, so each has one.
type step struct {
	args  []string
	input string
	code  int
	says  string // what is on its stdout
}

// words are what differs between the docker-composes of Debian: 1.29 in 12, and 2, a plugin of the docker
// command that runs by itself, in 13.
type words struct {
	mark  string   // in the name of a container
	line  string   // what is before a line of a container's log
	exits string   // before a container's name, in the words for its end
	list  []string // all containers
	ended string   // one with exit code 3, in that list
	bind  string   // behind a bind mount that may be written
}

var composeWords = sync.OnceValue(func() words {
	if version, _ := exec.Command(composeProgram, "version", "--short").Output(); strings.HasPrefix(string(version), "1.") {
		return words{mark: "_", line: "%-7s  | ", exits: "case_", list: []string{"ps"}, ended: "Exit 3"}
	}
	list := []string{"ps", "-a", "--format", "{{.Name}} {{.State}} {{.ExitCode}}"}
	return words{mark: "-", line: "\x1b[2K%s  | ", list: list, ended: "exited 3", bind: ":rw"}
})

// of is the first container of a service.
func (w words) of(service string) string { return "case" + w.mark + service + w.mark + "1" }

// before is what the log of a service's container has before each line of it.
func (w words) before(service string, n int) string {
	return fmt.Sprintf(w.line, fmt.Sprint(service, w.mark, n))
}

const composeProgram = "/usr/bin/docker-compose"

// compose runs docker-compose on this route, with the project of testdata.
func (r route) compose(ctx context.Context, t *testing.T, s *stage.Stage, c step) outcome {
	t.Helper()
	const place = "/tmp/docker-compose.yml"
	project, err := os.ReadFile(filepath.Join("testdata", "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in(s, stage.Debian, place), project, 0o644); err != nil {
		t.Fatal(err)
	}
	argv := []string{"env", "DOCKER_HOST=" + r.host, composeProgram, "--ansi", "never", "-f", place, "-p", "case"}
	return finish(t, s.Client(ctx, append(argv, c.args...)...), strings.NewReader(c.input))
}

// composed plays a story on both routes, each from nothing to nothing, and
// wants the same outcome of each step.
func composed(t *testing.T, on func(*testing.T) (context.Context, *stage.Stage, *stage.Bridge), story ...step) {
	t.Helper()
	lab.Need(t, lab.PartCompose)
	ctx, s, b := on(t)
	direct, bridged := routes(s, b)
	t.Cleanup(func() {
		if t.Failed() {
			direct.compose(context.WithoutCancel(ctx), t, s, step{args: []string{"down"}})
		}
	})
	var outcomes [2][]outcome
	for i, r := range []route{direct, bridged} {
		began := time.Now()
		for _, c := range story {
			outcomes[i] = append(outcomes[i], r.compose(ctx, t, s, c))
		}
		t.Logf("%s: %d commands took %v", r.name, len(story), time.Since(began).Round(time.Millisecond))
	}
	for i, c := range story {
		o := same(t, outcomes[1][i], outcomes[0][i], append([]string{"compose"}, c.args...)...)
		if o.code != c.code || !strings.Contains(o.stdout, c.says) {
			t.Errorf("docker-compose %q: exit code %d, want %d; stdout without %q: %q; stderr %q", c.args, o.code, c.code, c.says, o.stdout, o.stderr)
		}
	}
}

// after puts a prefix before each line.
func after(prefix, lines string) string {
	return prefix + strings.ReplaceAll(strings.TrimSuffix(lines, "\n"), "\n", "\n"+prefix) + "\n"
}

// `up` stays in the foreground until the container ends, and shows what it says.
func TestComposeForeground(t *testing.T) {
	w := composeWords()
	lines := after(w.before("ends", 1), countTo(1000))
	composed(t, onWindows,
		step{args: []string{"up", "--no-color", "--exit-code-from", "ends", "ends"}, code: 3, says: lines + w.exits + "ends" + w.mark + "1 exited with code 3\n"},
		step{args: []string{"logs", "--no-color", "ends"}, says: lines},
		step{args: w.list, says: w.ended},
		step{args: []string{"down"}})
}

// docker-compose: `up -d`, a list, `exec -T` with input and exit code, `logs`, `down`.
func TestComposeDetached(t *testing.T) {
	w := composeWords()
	composed(t, onStage,
		step{args: []string{"up", "-d", "stays"}},
		step{args: w.list, says: w.of("stays")},
		step{args: []string{"exec", "-T", "stays", "sh", "-c", "cat; echo err >&2; exit 4"}, input: "from stdin\n", code: 4, says: "from stdin\n"},
		step{args: []string{"logs", "--no-color", "stays"}, says: w.before("stays", 1) + "up\n"},
		step{args: []string{"down"}},
		step{args: w.list})
}

// Three containers at once, each followed on a connection of its own: what one
// says comes in its order, whatever the others do.
func TestComposeManyContainers(t *testing.T) {
	lab.Need(t, lab.PartCompose)
	w := composeWords()
	ctx, s, b := onStage(t)
	_, bridged := routes(s, b)
	o := bridged.compose(ctx, t, s, step{args: []string{"up", "--no-color", "--scale", "ends=3", "ends"}})
	for i := range 3 {
		var said strings.Builder
		for line := range strings.Lines(o.stdout) {
			if strings.HasPrefix(line, w.before("ends", i+1)) {
				said.WriteString(line)
			}
		}
		differs(t, fmt.Sprintf("container %d", i+1), said.String(), after(w.before("ends", i+1), countTo(1000)))
	}
	if down := bridged.compose(ctx, t, s, step{args: []string{"down"}}); o.code != 0 || down.code != 0 {
		t.Errorf("exit codes %d, %d: %s%s", o.code, down.code, o.stderr, down.stderr)
	}
}
