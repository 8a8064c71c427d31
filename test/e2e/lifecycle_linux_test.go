package e2e

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// runDir is where the agent's file lies, and the default socket.
const runDir = "/run/docker-wsl-bridge"

// A scene is what ran on both sides at one moment.
type scene struct {
	s      *stage.Stage
	distro string
	host   []string
	linux  []int
}

func look(t *testing.T, s *stage.Stage, distro string) scene {
	t.Helper()
	pids, err := s.VM.Pids(distro)
	if err != nil {
		t.Fatal(err)
	}
	return scene{s, distro, s.HostProcesses(), pids}
}

// newOnHost are the programs that run beside the engine now and did not then, as
// "PID ARG ARG".
func (before scene) newOnHost() []string {
	return slices.DeleteFunc(before.s.HostProcesses(), func(p string) bool { return slices.Contains(before.host, p) })
}

// newInDistro is the same for the distro.
func (before scene) newInDistro(t *testing.T) []string {
	t.Helper()
	pids, err := before.s.VM.Pids(before.distro)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, pid := range pids {
		if !slices.Contains(before.linux, pid) {
			list = append(list, strconv.Itoa(pid)+" "+wsl.ProcessName(pid))
		}
	}
	return list
}

// awaitEmpty waits until nothing that came after the scene runs, on either side.
func (before scene) awaitEmpty(ctx context.Context, t *testing.T) {
	t.Helper()
	var left []string
	defer func() {
		if len(left) > 0 {
			t.Errorf("left over: %q", left)
		}
	}()
	until(ctx, t, "every process of the bridge to end", func() bool {
		left = append(before.newOnHost(), before.newInDistro(t)...)
		return len(left) == 0
	})
}

// newcomer is the number of the one process in the list whose command line has
// the text.
func newcomer(t *testing.T, list []string, text string) int {
	t.Helper()
	found := slices.DeleteFunc(slices.Clone(list), func(p string) bool { return !strings.Contains(p, text) })
	if len(found) != 1 {
		t.Fatalf("no or several %q in %q", text, list)
	}
	pid, err := strconv.Atoi(strings.Fields(found[0])[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// agentOf tells where a bridge has its agent and whether it was put there then.
func agentOf(t *testing.T, b *stage.Bridge) (file string, placed bool) {
	t.Helper()
	var ready struct {
		Agent       string
		AgentPlaced bool
	}
	if err := json.NewDecoder(strings.NewReader(b.Output())).Decode(&ready); err != nil || ready.Agent == "" {
		t.Fatalf("it said %s", b.Output())
	}
	return ready.Agent, ready.AgentPlaced
}

// ended waits for `up` to end well and gives how long it took.
func ended(ctx context.Context, t *testing.T, b *stage.Bridge) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, bound(15*time.Second))
	defer cancel()
	began := time.Now()
	if err := b.End(ctx, 0); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

// agentOnly wants a distro's directory of ours to hold the agent's file and
// nothing else.
func agentOnly(t *testing.T, s *stage.Stage, distro, agent string) {
	t.Helper()
	list, err := os.ReadDir(in(s, distro, runDir))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Name() != path.Base(agent) || path.Dir(agent) != runDir {
		t.Errorf("%s has %v, want %s alone", runDir, list, agent)
	}
}

// accepts tells whether somebody listens at a distro's socket.
func accepts(s *stage.Stage, distro, socket string) bool {
	conn, err := net.DialTimeout("unix", in(s, distro, socket), time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// Ctrl-C leaves no process and no socket on either side.
func TestCtrlCLeavesNothing(t *testing.T) {
	ctx, s, _ := onWindows(t)
	before := look(t, s, stage.Plain)
	b := serveEngine(ctx, t, s, stage.Plain, runDir+"/windows.sock")
	agent, _ := agentOf(t, b)
	if out, err := fromOutside(ctx, s, stage.Plain, b.Socket.Socket, "version"); err != nil {
		t.Errorf("docker version: %v: %s", err, out)
	}
	newcomer(t, before.newOnHost(), "wsl.exe") // they are seen at all
	newcomer(t, before.newInDistro(t), agent)
	if err := b.Interrupt(); err != nil {
		t.Fatal(err)
	}
	began, stopped := time.Now(), "{\"event\":\"stopped\"}\n"
	if err := b.Await(ctx, stopped); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	rest := ended(ctx, t, b) // the console's end is in that
	if took > atOnce || rest > 2*atOnce || !strings.HasSuffix(b.Output(), stopped) {
		t.Errorf("it said so after %v and ended %v later: %s", took, rest, b.Output())
	}
	t.Logf("up said that it had stopped %v after Ctrl-C, and had ended %v later", took.Round(time.Millisecond), rest.Round(time.Millisecond))
	before.awaitEmpty(ctx, t)
	agentOnly(t, s, stage.Plain, agent)
}

// After Ctrl-C what is under way goes on and nothing new comes in; what does
// not end by itself is cut.
func TestCtrlCDrains(t *testing.T) {
	ctx, s, _ := onStage(t)
	const socket = runDir + "/drain.sock"
	container(ctx, t, s, "draining", "sh", "-c", "echo first; while [ ! -e /tmp/end ]; do sleep 0.1; done; seq 1 100")
	container(ctx, t, s, "unending", "sh", "-c", "echo first; sleep 600")
	before := look(t, s, stage.Debian)
	b := serveEngine(ctx, t, s, stage.Debian, socket)
	direct, _ := routes(s, b)
	route := route{name: "second bridge", host: b.Host}
	draining := follow(ctx, t, s, route, "logs", "-f", "draining")
	unending := follow(ctx, t, s, route, "logs", "-f", "unending")
	draining.next(t)
	unending.next(t)

	began := time.Now()
	if err := b.Interrupt(); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, "new connections to be refused", func() bool { return !accepts(s, stage.Debian, socket) })
	closed := time.Since(began)
	absent(t, s, stage.Debian, socket)
	direct.must(ctx, t, s, "exec", "draining", "touch", "/tmp/end")
	if lines, err := draining.rest(); err != nil || len(lines) != 100 {
		t.Errorf("what was under way got %d lines of 100, %v", len(lines), err)
	}
	ended(ctx, t, b)
	took := time.Since(began)
	if lines, _ := unending.rest(); len(lines) > 0 {
		t.Errorf("the one that never ends got %q", lines)
	}
	// It gets 5 s.
	if closed > atOnce || took < 5*time.Second || took > bound(15*time.Second) {
		t.Errorf("closed after %v, ended after %v: %s", closed, took, b.Output())
	}
	t.Logf("after Ctrl-C: closed %v, ended %v", closed.Round(time.Millisecond), took.Round(time.Millisecond))
	before.awaitEmpty(ctx, t)
}

// The agent's file is put into a distro once.
func TestSecondUpUsesTheAgentThatIsThere(t *testing.T) {
	ctx, s, _ := onStage(t)
	// A distro that has none yet.
	if err := os.RemoveAll(in(s, stage.Plain, runDir)); err != nil {
		t.Fatal(err)
	}
	var files [2]os.FileInfo
	for i, want := range []bool{true, false} {
		b := serveEngine(ctx, t, s, stage.Plain, runDir+"/windows.sock")
		agent, placed := agentOf(t, b)
		if placed != want {
			t.Errorf("up %d: agentPlaced %v, want %v", i+1, placed, want)
		}
		info, err := os.Stat(in(s, stage.Plain, agent))
		if err != nil {
			t.Fatal(err)
		}
		files[i] = info
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		agentOnly(t, s, stage.Plain, agent)
	}
	if !os.SameFile(files[0], files[1]) {
		t.Error("the agent was put there again")
	}
}

// When Windows kills the program, nothing stays: neither wsl.exe nor the agent
// nor its socket, and clients that wait are let go.
func TestKilledHostLeavesNothing(t *testing.T) {
	ctx, s, _ := onWindows(t)
	const socket = runDir + "/killed.sock"
	container(ctx, t, s, "orphan", "sh", "-c", "echo first; sleep 600")
	before := look(t, s, stage.Debian)
	b := serveEngine(ctx, t, s, stage.Debian, socket)
	client := follow(ctx, t, s, route{name: "second bridge", host: b.Host}, "logs", "-f", "orphan")
	client.next(t)
	began := time.Now()
	if err := b.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, "the socket to go away", func() bool { return isAbsent(s, stage.Debian, socket) })
	if lines, _ := client.rest(); len(lines) > 0 {
		t.Errorf("the client got %q", lines)
	}
	before.awaitEmpty(ctx, t)
	t.Logf("nothing was left %v after the kill", time.Since(began).Round(time.Millisecond))
	if err := b.Kill(); err != nil {
		t.Error(err)
	}
}
