package e2e

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// An asService is a ward whose bridge the service control manager runs: with type 0x10, since Wine
// knows no per-user services.
type asService struct {
	*ward
	name    string
	engine  string // the pipe that it is told of
	standin string // the file by which its wsl.exe finds the VM: a service has an environment of its own
	before  scene
}

// onService has one that is not started.
func onService(t *testing.T) (context.Context, *asService) {
	t.Helper()
	ctx, w := openWindowsWard(t)
	s := &asService{
		ward: w, name: "dwb-" + w.distro, engine: stage.EnginePipe,
		standin: filepath.Join(w.s.Wine.DriveC(), "Program Files", "WSL", "standin"),
		before:  look(t, w.s, w.distro),
	}
	s.installWSL(t)
	t.Cleanup(func() { os.Remove(s.standin) })
	w.b = &stage.Bridge{Host: "unix://" + wardSocket}
	t.Cleanup(func() {
		s.sc(context.WithoutCancel(ctx), t, "stop", s.name) // it may have stopped
		s.sc(context.WithoutCancel(ctx), t, "delete", s.name)
	})
	s.create(ctx, t)
	t.Cleanup(func() {
		if t.Failed() {
			text := logFiles(t, w.s, w.distro)
			t.Logf("its log ends with %s", text[max(0, len(text)-2000):])
		}
	})
	return ctx, s
}

func (s *asService) installWSL(t *testing.T) {
	t.Helper()
	_, place, _ := strings.Cut(s.s.VM.Env()[0], "=")
	if err := os.WriteFile(s.standin, []byte(place), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *asService) create(ctx context.Context, t *testing.T) {
	t.Helper()
	line := `"Z:` + strings.ReplaceAll(stage.WindowsExe(), "/", `\`) + `" run --distro=` + s.distro + ` --pipe=` + s.engine
	until(ctx, t, "sc create", func() bool { // which at times fails and says nothing while the one before is going
		return s.sc(ctx, t, "create", s.name, "binPath=", line).code == 0
	})
}

// sc talks to the service control manager.
func (s *asService) sc(ctx context.Context, t *testing.T, args ...string) outcome {
	t.Helper()
	return filed(t, s.s.Wine.Command(ctx, "sc.exe", args...))
}

// tries wants it to be running, whether it can serve or not.
func (s *asService) tries(ctx context.Context, t *testing.T) {
	t.Helper()
	if o := s.sc(ctx, t, "start", s.name); o.code != 0 {
		t.Fatalf("sc start: %+v", o)
	}
	until(ctx, t, "the service to run", func() bool { return strings.Contains(s.sc(ctx, t, "query", s.name).stdout, "RUNNING") })
}

// starts wants it to serve, too.
func (s *asService) starts(ctx context.Context, t *testing.T) {
	t.Helper()
	s.tries(ctx, t)
	until(ctx, t, "the bridge serves", func() bool {
		return s.status(ctx, t).Works
	})
}

// hasStopped wants it to end, which is success however much was on its way.
func (s *asService) hasStopped(ctx context.Context, t *testing.T) {
	t.Helper()
	said := ""
	until(ctx, t, "the service has stopped", func() bool {
		said = s.sc(ctx, t, "query", s.name).stdout
		return strings.Contains(said, "STOPPED")
	})
	contains(t, said, "WIN32_EXIT_CODE    : 0 ")
}

// stops wants it to stop, and to leave nothing.
func (s *asService) stops(ctx context.Context, t *testing.T) {
	t.Helper()
	if o := s.sc(ctx, t, "stop", s.name); o.code != 0 {
		t.Fatalf("sc stop: %+v", o)
	}
	s.hasStopped(ctx, t)
	s.before.awaitEmpty(ctx, t)
	absent(t, s.s, s.distro, wardSocket)
}

// Neither a WSL that does not work nor an engine that is not there fails a start: it is running, status
// tells the reason, and what comes is served. While it waits it is stopped like any other.
func TestServiceStartsWhateverIsMissing(t *testing.T) {
	ctx, s := onService(t)
	s.sc(ctx, t, "delete", s.name)
	s.engine = "dwb-late"
	s.create(ctx, t)
	if err := os.Remove(s.standin); err != nil {
		t.Fatal(err)
	}
	s.tries(ctx, t)
	until(ctx, t, "the lack of WSL to be told", func() bool { return s.status(ctx, t).State == "lost" })
	s.stops(ctx, t)

	s.tries(ctx, t)
	until(ctx, t, "the lack of WSL to be told", func() bool { return s.status(ctx, t).State == "lost" })
	s.installWSL(t)
	until(ctx, t, "the socket to be served", func() bool { return s.status(ctx, t).State == "ready" })
	if got := s.status(ctx, t); got.Works || !strings.Contains(got.EngineError, "dwb-late") {
		t.Errorf("without an engine: %+v", got)
	}
	contains(t, s.sc(ctx, t, "query", s.name).stdout, "RUNNING")
	windowsEngine(ctx, t, s.s, s.engine)
	if o := s.route().run(ctx, t, s.s, nil, "version"); o.code != 0 || !strings.Contains(o.stdout, "windows/amd64") {
		t.Errorf("docker version: %+v", o)
	}
	s.sc(ctx, t, "stop", s.name)
	s.hasStopped(ctx, t)
	until(ctx, t, "all but the engine's pipe to end", func() bool {
		return len(s.before.newOnHost()) == 1 && len(s.before.newInDistro(t)) == 0
	})
	absent(t, s.s, s.distro, wardSocket)
}

// Started and stopped by the service control manager, round after round, with docker in between and
// nothing left on either side.
func TestRunAsAService(t *testing.T) {
	ctx, s := onService(t)
	rounds := 3
	if os.Getenv("DWB_FULL") != "" {
		rounds = 50
	}
	began := time.Now()
	for range rounds {
		s.starts(ctx, t)
		s.works(ctx, t)
		s.stops(ctx, t)
	}
	t.Logf("%d rounds in %v", rounds, time.Since(began))
	// Whoever starts another one is told which runs.
	s.starts(ctx, t)
	contains(t, fails(t, s.command(ctx)), "is served already, by pid ", "run: docker-wsl-bridge stop --distro "+s.distro)
	contains(t, filed(t, s.s.Windows(ctx, "stop", "--distro", s.distro)).stdout, "stopped the bridge for ")
	s.hasStopped(ctx, t)
	s.before.awaitEmpty(ctx, t)
}

// A service is told to stop while much is on its way: it stops in time, and nobody takes a part for
// the whole.
func TestServiceStopsDuringATransfer(t *testing.T) {
	ctx, s := onService(t)
	s.starts(ctx, t)
	const size = 200 << 20
	cmd := s.route().docker(ctx, s.s, "run", "--rm", "--network", "none", s.s.Docker.Image, "dd", "if=/dev/zero", "bs=1M", "count=200")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first, err := io.CopyN(io.Discard, out, 1<<20)
	if err != nil {
		t.Fatalf("%d bytes, %v", first, err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.sc(ctx, t, "stop", s.name)
	}()
	rest, _ := io.Copy(io.Discard, out) // the exit code tells how it went
	<-stopped
	if err := cmd.Wait(); err == nil && first+rest != size {
		t.Errorf("docker got %d bytes of %d, and calls that success", first+rest, size)
	} else {
		t.Logf("docker got %d of %d bytes: %v", first+rest, size, err)
	}
	s.hasStopped(ctx, t)
	s.before.awaitEmpty(ctx, t)
}

// The service's process is killed: what it has started goes with it, on both sides. Wine's service
// control manager does not notice, so that another one takes its place.
func TestServiceIsKilled(t *testing.T) {
	ctx, s := onService(t)
	s.starts(ctx, t)
	kill(t, newcomer(t, s.before.newOnHost(), "docker-wsl-bridge.exe run"))
	s.before.awaitEmpty(ctx, t)
	absent(t, s.s, s.distro, wardSocket)
	s.sc(ctx, t, "delete", s.name)
	s.name += "-again"
	s.create(ctx, t)
	s.starts(ctx, t)
	s.works(ctx, t)
	s.stops(ctx, t)
}
