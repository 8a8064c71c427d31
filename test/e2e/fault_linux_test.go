package e2e

import (
	"context"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// A ward is a bridge on a VM of its own, to which anything may happen. The
// distro has the test's name, so that its processes are told from others'.
type ward struct {
	s      *stage.Stage
	b      *stage.Bridge
	distro string
}

const wardSocket = runDir + "/windows.sock"

// onWard opens one that serves the shared engine, or what args say instead.
func onWard(t *testing.T, args ...string) (context.Context, *ward) {
	t.Helper()
	ctx, w := openWard(t)
	w.up(ctx, t, args...)
	return ctx, w
}

// openWard opens one without a bridge.
func openWard(t *testing.T) (context.Context, *ward) { return openIdleWard(t, 0) }

// openIdleWard's distro stops when nothing has run there for a while.
func openIdleWard(t *testing.T, idle time.Duration) (context.Context, *ward) {
	t.Helper()
	ctx, all, _ := onStage(t)
	return ctx, newWard(ctx, t, all, idle)
}

// onWindowsWard and openWindowsWard are the same with the Windows program, in every form.
func onWindowsWard(t *testing.T, args ...string) (context.Context, *ward) {
	t.Helper()
	ctx, w := openWindowsWard(t)
	w.up(ctx, t, args...)
	return ctx, w
}

func openWindowsWard(t *testing.T) (context.Context, *ward) {
	t.Helper()
	ctx, all, _ := onWindows(t)
	return ctx, newWard(ctx, t, all, 0)
}

func newWard(ctx context.Context, t *testing.T, all *stage.Stage, idle time.Duration) *ward {
	t.Helper()
	w := &ward{distro: strings.TrimPrefix(strings.ReplaceAll(t.Name(), "/", "-"), "Test")}
	var err error
	if w.s, err = all.WithVM(ctx, wsl.Options{Dir: t.TempDir(), Idle: idle, Distros: []wsl.Distro{stage.LikeDebian(w.distro)}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.s.VM.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *ward) command(ctx context.Context, args ...string) *exec.Cmd {
	all := append([]string{"up", "--json", "--distro", w.distro}, args...)
	if !strings.Contains(strings.Join(args, " "), "--pipe") {
		all = append(all, "--pipe", w.s.EngineAt())
	}
	return w.s.Host(context.WithoutCancel(ctx), all...)
}

// up starts the bridge; the test's end is its end, and wants it to leave nothing.
func (w *ward) up(ctx context.Context, t *testing.T, args ...string) {
	t.Helper()
	b, err := w.s.Up(ctx, w.command(ctx, args...))
	if err != nil {
		t.Fatal(err)
	}
	w.b = b
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("it said %s", b.Output())
		}
		if b.Cmd.ProcessState == nil {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
		noneLeft(t, "beside the engine", w.host)
	})
}

// noneLeft wants all to have ended. Wine tells of a program's end a moment before it has gone.
func noneLeft(t *testing.T, where string, all func() []string) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	limit := time.After(bound(5 * time.Second))
	for left := all(); len(left) > 0; left = all() {
		select {
		case <-look.C:
		case <-limit:
			t.Errorf("left %s: %q", where, left)
			return
		}
	}
}

// host are the programs beside the engine that have to do with this distro, as
// "PID ARG ARG".
func (w *ward) host() (list []string) {
	for _, p := range w.s.HostProcesses() {
		if strings.Contains(p+" ", " "+w.distro+" ") {
			list = append(list, p)
		}
	}
	return list
}

// linux are the processes of the distro, but for its first one.
func (w *ward) linux(t *testing.T) []string {
	t.Helper()
	return scene{s: w.s, distro: w.distro}.newInDistro(t)
}

// happens waits until the bridge has told of an event for the nth time.
func (w *ward) happens(ctx context.Context, t *testing.T, event string, nth int) {
	t.Helper()
	until(ctx, t, event, func() bool { return w.happened(event) >= nth })
}

func (w *ward) happened(event string) int {
	return strings.Count(w.b.Output(), `{"event":"`+event+`"`)
}

func (w *ward) route() route { return route{name: "ward", host: w.b.Host} }

// works wants the engine to answer through the bridge.
func (w *ward) works(ctx context.Context, t *testing.T) {
	t.Helper()
	if o := w.route().run(ctx, t, w.s, nil, "version"); o.code != 0 || !strings.Contains(o.stdout, "Server:") {
		t.Errorf("docker version: %+v", o)
	}
}

// logging follows a container of this test's that never ends.
func (w *ward) logging(ctx context.Context, t *testing.T) *follower {
	t.Helper()
	name := "of-" + w.distro
	container(ctx, t, w.s, name, "sh", "-c", "echo first; sleep 600")
	f := follow(ctx, t, w.s, w.route(), "logs", "-f", name)
	f.next(t)
	return f
}

// wantBroken wants the follower to end with an error, at once after began.
func wantBroken(t *testing.T, f *follower, began time.Time) {
	t.Helper()
	lines, err := f.rest()
	took := time.Since(began)
	if err == nil || len(lines) > 0 || took > atOnce {
		t.Errorf("the client's stream ended after %v with %q, %v", took, lines, err)
	}
	t.Logf("the client's stream had ended %v after the fault", took.Round(time.Millisecond))
}

func kill(t *testing.T, pid int) time.Time {
	t.Helper()
	began := time.Now()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	return began
}

// comesBack wants the bridge to serve again within the bound, as new: one
// wsl.exe, one agent, one socket.
func (w *ward) comesBack(ctx context.Context, t *testing.T, began time.Time, limit time.Duration) {
	t.Helper()
	longer, cancel := context.WithTimeout(ctx, limit+20*time.Second)
	defer cancel()
	w.awaits(longer, t, "ready", 2)
	took := time.Since(began)
	if took > limit {
		t.Errorf("it served again after %v, bound %v", took, limit)
	}
	t.Logf("it served again %v after the fault", took.Round(time.Millisecond))
	w.works(ctx, t)
	newcomer(t, w.host(), `wsl.exe`)
	agent, _ := agentOf(t, w.b)
	newcomer(t, w.linux(t), agent)
	wantAttributes(ctx, t, w.s, w.distro, wardSocket, "socket 660 root:docker")
}

// A killed agent can't remove its socket; the next one takes its place.
func TestAgentKilled(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	client := w.logging(ctx, t)
	agent, _ := agentOf(t, w.b)
	began := kill(t, newcomer(t, w.linux(t), agent))
	wantBroken(t, client, began)
	w.comesBack(ctx, t, began, comeBack)
}

// A wsl.exe that is killed breaks what is under way, and is replaced.
func TestWslKilled(t *testing.T) {
	t.Parallel()
	ctx, w := onWindowsWard(t)
	client := w.logging(ctx, t)
	began := kill(t, newcomer(t, w.host(), "wsl.exe"))
	wantBroken(t, client, began)
	w.comesBack(ctx, t, began, comeBack)
}

// A distro that somebody stops stays stopped, until somebody runs it.
func TestTerminated(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	w.stopped(ctx, t, func() error { return w.s.VM.Terminate(w.distro) })
}

// WSL is shut down: it stays so until somebody runs it, and then all is served again.
func TestShutDown(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	w.stopped(ctx, t, w.s.VM.Shutdown)
}

func (w *ward) stopped(ctx context.Context, t *testing.T, stop func() error) {
	t.Helper()
	client := w.logging(ctx, t)
	began := time.Now()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	wantBroken(t, client, began)
	w.happens(ctx, t, "distro-stopped", 1)
	t.Logf("it was told %v after the stop", time.Since(began).Round(time.Millisecond))
	// Longer than it takes to look again.
	never(ctx, t, "the stopped distro runs", 9*time.Second, func() bool {
		_, err := w.s.VM.Pids(w.distro)
		return err == nil
	})
	began = time.Now()
	w.somebody(ctx, t)
	w.comesBack(ctx, t, began, seen)
}

// seen bounds how long a distro that runs again is not served: 8 s until it is looked for, and a start.
var seen = bound(30 * time.Second)

// never wants something not to hold for a while: the time that passes is what
// is tested.
func never(ctx context.Context, t *testing.T, what string, long time.Duration, holds func() bool) {
	t.Helper()
	end := time.NewTimer(long)
	defer end.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if holds() {
				t.Fatal(what)
			}
		case <-end.C:
			return
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		}
	}
}

// Somebody cleans /run up: the socket comes back, and connections live on.
func TestSocketDeleted(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	client := w.logging(ctx, t)
	began := time.Now()
	if out, err := w.s.VM.Command(ctx, w.distro, "root", "rm", wardSocket).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	until(ctx, t, "the socket to come back", func() bool { return accepts(w.s, w.distro, wardSocket) })
	if took := time.Since(began); took > atOnce {
		t.Errorf("the socket was back after %v, bound %v", took, atOnce)
	}
	w.works(ctx, t)
	if err := client.cmd.Process.Signal(syscall.Signal(0)); err != nil || w.happened("lost") > 0 {
		t.Errorf("the connection ended: %v", err)
	}
}

// The agent needs its file to start and for nothing else; the next start puts
// it there again.
func TestAgentFileDeleted(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	agent, _ := agentOf(t, w.b)
	if out, err := w.s.VM.Command(ctx, w.distro, "root", "rm", agent).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w.works(ctx, t)
	began := kill(t, newcomer(t, w.linux(t), agent))
	w.comesBack(ctx, t, began, comeBack)
	if !strings.Contains(w.b.Output(), `{"event":"lost"`) {
		t.Errorf("it said %s", w.b.Output())
	}
}

// Hundreds of idle connections (2,000 in the long form) end with their carrier, all of them at once,
// and leave nothing.
func TestCarrierLostUnderIdleConnections(t *testing.T) {
	ctx, w := onWard(t)
	count := 500
	if long() {
		count = 2000
	}
	idleEngine(ctx, t, w.s)
	ended := make(chan error, count)
	for range count {
		c, err := net.Dial("unix", in(w.s, w.distro, wardSocket))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if err := pinged(c); err != nil {
			t.Fatal(err)
		}
		go func() {
			_, err := c.Read(make([]byte, 1))
			ended <- err
		}()
	}
	if n := engineConns(t, w.s); n < count {
		t.Errorf("the engine has %d connections", n)
	}
	began := kill(t, newcomer(t, w.host(), "wsl.exe"))
	for range count {
		if err := <-ended; err == nil {
			t.Fatal("a byte from nowhere")
		}
	}
	took := time.Since(began)
	if took > atOnce {
		t.Errorf("all had ended after %v, bound %v", took, atOnce)
	}
	t.Logf("%d connections had ended %v after the fault", count, took.Round(time.Millisecond))
	idleEngine(ctx, t, w.s)
	w.comesBack(ctx, t, began, comeBack)
}

// pinged makes one request and leaves the connection idle.
func pinged(c net.Conn) error {
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, "GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"); err != nil {
		return err
	}
	b := make([]byte, 4096)
	for said := ""; !strings.HasSuffix(said, "OK"); {
		n, err := c.Read(b)
		if err != nil {
			return err
		}
		said += string(b[:n])
	}
	return c.SetDeadline(time.Time{})
}

// With --keep-alive while-running the bridge is no reason for a distro to stay
// up; somebody else is.
func TestUnusedDistroStops(t *testing.T) {
	t.Parallel()
	ctx, w := openIdleWard(t, 2*time.Second)
	w.up(ctx, t, "--keep-alive", "while-running")
	somebody := w.somebody(ctx, t)
	never(ctx, t, "a distro in use is left", 22*time.Second, func() bool { return w.happened("distro-unused") > 0 })
	w.works(ctx, t)
	somebody.end()
	longer, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	w.awaits(longer, t, "distro-unused", 1)
	until(ctx, t, "the distro to stop", func() bool {
		_, err := w.s.VM.Pids(w.distro)
		return err != nil
	})
	// Longer than it takes to look twice, so that it is seen to have stopped.
	never(ctx, t, "the stopped distro runs", 20*time.Second, func() bool {
		_, err := w.s.VM.Pids(w.distro)
		return err == nil
	})
	w.somebody(ctx, t)
	w.comesBack(ctx, t, time.Now(), seen)
	if w.happened("lost") > 0 {
		t.Errorf("it said %s", w.b.Output())
	}
}

// A person's program in the distro.
type person struct{ end func() }

func (w *ward) somebody(ctx context.Context, t *testing.T) person {
	t.Helper()
	cmd := w.s.WSL(ctx, "-d", w.distro, "-e", "sleep", "120")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		// Whoever outlives wsl.exe keeps no distro up, on WSL; here a sleep ends
		// with its terminal.
	})
	t.Cleanup(end)
	return person{end}
}
