package lab_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

func startDocker(t *testing.T, dir string) (context.Context, *lab.Docker) {
	t.Helper()
	lab.Need(t, lab.PartRoot, lab.PartDockerd, lab.PartDocker, lab.PartBusybox)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	begun := time.Now()
	d, err := lab.StartDocker(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("dockerd with its image took %v", time.Since(begun).Round(time.Millisecond))
	return ctx, d
}

// docker is a command's output, without the line break at its end.
func docker(t *testing.T, ctx context.Context, d *lab.Docker, args ...string) string {
	t.Helper()
	out, err := d.Command(ctx, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// A container runs, over either address; the daemon comes back after Stop at
// both, and after Close neither a process nor a file is left.
func TestDocker(t *testing.T) {
	dir := t.TempDir()
	ctx, d := startDocker(t, dir)
	hello := func() {
		t.Helper()
		for _, host := range []string{"unix://" + d.Socket, "tcp://" + d.TCP} {
			out := docker(t, ctx, d, "-H", host, "run", "--rm", "--network", "none", d.Image, "echo", "hello")
			if out != "hello" {
				t.Errorf("%s: %q", host, out)
			}
		}
	}
	hello()
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if out, err := d.Command(ctx, "-H", "tcp://"+d.TCP, "version").CombinedOutput(); err == nil {
		t.Errorf("it answers after Stop: %s", out)
	}
	if err := d.Start(ctx); err != nil {
		t.Fatal(err)
	}
	hello()
	closeDocker(t, dir, d)
}

func closeDocker(t *testing.T, dir string, d *lab.Docker) {
	t.Helper()
	begun := time.Now()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("close took %v", time.Since(begun).Round(time.Millisecond))
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if mounts, _ := os.ReadFile("/proc/self/mounts"); strings.Contains(string(mounts), dir) {
		t.Errorf("mounts left behind:\n%s", mounts)
	}
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		if b, _ := os.ReadFile(line); strings.Contains(string(b), dir) {
			t.Errorf("process left behind: %q", b)
		}
	}
}

// Close takes a running container along, and that quickly.
func TestDockerCloseEndsContainers(t *testing.T) {
	dir := t.TempDir()
	ctx, d := startDocker(t, dir)
	pid := runSleeper(t, ctx, d)
	closeDocker(t, dir, d)
	awaitGone(t, ctx, pid)
}

// A daemon that was killed leaves containerd, a shim, a container and a mount
// behind. Close still takes all of that away.
func TestDockerCloseAfterKill(t *testing.T) {
	dir := t.TempDir()
	ctx, d := startDocker(t, dir)
	pid := runSleeper(t, ctx, d)
	note, err := os.ReadFile(filepath.Join(dir, "docker", "pid"))
	if err != nil {
		t.Fatal(err)
	}
	daemon, err := strconv.Atoi(strings.TrimSpace(string(note)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(daemon, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitGone(t, ctx, daemon)
	if !alive(pid) {
		t.Error("the container went with the daemon: nothing to prove here")
	}
	closeDocker(t, dir, d)
	awaitGone(t, ctx, pid)
}

// runSleeper starts a container and returns its process.
func runSleeper(t *testing.T, ctx context.Context, d *lab.Docker) int {
	t.Helper()
	id := docker(t, ctx, d, "run", "-d", "--network", "none", d.Image, "sleep", "300")
	pid, err := strconv.Atoi(docker(t, ctx, d, "inspect", "-f", "{{.State.Pid}}", id))
	if err != nil || !alive(pid) {
		t.Fatalf("container's process %d: %v", pid, err)
	}
	return pid
}

// alive tells a process from a zombie, which has no command line.
func alive(pid int) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return len(b) > 0
}

func awaitGone(t *testing.T, ctx context.Context, pid int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for alive(pid) {
		if ctx.Err() != nil {
			t.Fatalf("process %d lives on", pid)
		}
		time.Sleep(time.Millisecond) // not our child: nobody tells of its end
	}
}

// A test's directory may be longer than a socket's path.
func TestDockerInLongDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	_, d := startDocker(t, dir)
	closeDocker(t, dir, d)
	if _, err := os.Stat(filepath.Dir(d.Socket)); err == nil {
		t.Errorf("%s is left behind", filepath.Dir(d.Socket))
	}
}
