package e2e

import (
	"bufio"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// follower is a docker command whose output is read line by line.
type follower struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func follow(ctx context.Context, t *testing.T, s *stage.Stage, r route, args ...string) *follower {
	t.Helper()
	f := &follower{cmd: r.docker(ctx, s, args...)}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	f.lines = bufio.NewScanner(out)
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = f.cmd.Process.Kill() // as a rule it has ended
		_ = f.cmd.Wait()
	})
	return f
}

func (f *follower) next(t *testing.T) string {
	t.Helper()
	if !f.lines.Scan() {
		t.Fatalf("the output ended: %v", f.lines.Err())
	}
	return f.lines.Text()
}

// rest reads to the end of the output and waits for the command.
func (f *follower) rest() (lines []string, err error) {
	for f.lines.Scan() {
		lines = append(lines, f.lines.Text())
	}
	return lines, f.cmd.Wait()
}

// awaitLog waits until a container has written a line.
func awaitLog(ctx context.Context, t *testing.T, s *stage.Stage, name, line string) {
	t.Helper()
	direct := straight(s)
	f := follow(ctx, t, s, direct, "logs", "-f", name)
	for f.next(t) != line {
	}
}

// `logs -f` ends when the container does.
func TestLogsFollowEndedByTheContainer(t *testing.T) {
	t.Parallel()
	onBoth(t, followedToTheEnd)
}

func followedToTheEnd(ctx context.Context, t *testing.T, s *stage.Stage, ways ...route) {
	name := named("logs", ways)
	container(ctx, t, s, name, "sh", "-c", "echo first; while [ ! -e /tmp/end ]; do sleep 0.1; done; seq 1 1000")
	var followers []*follower
	for _, r := range ways {
		f := follow(ctx, t, s, r, "logs", "-f", name)
		if got := f.next(t); got != "first" {
			t.Errorf("%s: %q", r.name, got)
		}
		followers = append(followers, f)
	}
	ways[0].must(ctx, t, s, "exec", name, "touch", "/tmp/end")
	for _, f := range followers {
		lines, err := f.rest()
		if err != nil {
			t.Error(err)
		}
		differs(t, "logs", strings.Join(lines, "\n")+"\n", countTo(1000))
	}
}

// The client of an endless answer goes away: Ctrl-C, or a kill. The engine's
// connection must end, too.
func TestLogsFollowEndedByTheClient(t *testing.T) {
	t.Parallel()
	ctx, s, b := onStage(t)
	_, bridged := routes(s, b)
	followedByTheKilled(engineConns)(ctx, t, s, bridged, bridged, bridged)
}

// followedByTheKilled counts the engine's connections, of which nobody else has any.
func followedByTheKilled(conns func(*testing.T, *stage.Stage) int) play {
	return func(ctx context.Context, t *testing.T, s *stage.Stage, ways ...route) {
		name := named("endless", ways)
		container(ctx, t, s, name, "sh", "-c", "echo first; sleep 600")
		before := conns(t, s)
		for _, r := range ways {
			f := follow(ctx, t, s, r, "logs", "-f", name)
			f.next(t)
			if err := f.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		until(ctx, t, "the engine's connections to end", func() bool { return conns(t, s) <= before })
		t.Logf("the engine's connections had ended %v after the kill", time.Since(began).Round(time.Millisecond))
	}
}

// Events are idle for a while before one comes.
func TestEventsIdle(t *testing.T) {
	ctx, s, b := onStage(t)
	idle := 5 * time.Second
	if long() {
		idle = 3 * time.Minute
	}
	container(ctx, t, s, "eventful", "sleep", "600")
	direct, bridged := routes(s, b)
	var followers []*follower
	for _, r := range []route{direct, bridged} {
		f := follow(ctx, t, s, r, "events", "--filter", "container=eventful", "--format", "{{json .}}")
		followers = append(followers, f)
	}
	select { // the time that passes is what is tested
	case <-time.After(idle):
	case <-ctx.Done():
	}
	direct.must(ctx, t, s, "pause", "eventful")
	direct.must(ctx, t, s, "unpause", "eventful")
	for _, action := range []string{"pause", "unpause"} {
		want, got := followers[0].next(t), followers[1].next(t)
		differs(t, action, got, want)
		if !strings.Contains(got, `"`+action+`"`) {
			t.Errorf("not the event: %q", got)
		}
	}
}
