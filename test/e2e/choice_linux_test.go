package e2e

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/recorder"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// programs are the files of a distro that can be run, symbolic links and what
// is mounted aside.
func programs(t *testing.T, s *stage.Stage, distro string) (list []string) {
	t.Helper()
	root := in(s, distro, "/")
	top, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range top {
		if slices.Contains([]string{"proc", "sys", "dev", "run", "mnt"}, e.Name()) {
			continue
		}
		err := filepath.WalkDir(filepath.Join(root, e.Name()), func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if info, err := d.Info(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
				list = append(list, strings.TrimPrefix(file, root))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// The address of the first program of this kind, which compose files and
// scripts name: in a distro with busybox and nothing else.
func TestOriginalAddress(t *testing.T) {
	ctx, s, _ := onWindows(t)
	const socket = "/run/host-services/docker.win.proxy.sock"
	if got := programs(t, s, stage.DockerDesktop); !slices.Equal(got, []string{"/bin/busybox"}) {
		t.Fatalf("not a distro with busybox alone, but with %q", got)
	}
	b := serveEngine(ctx, t, s, stage.DockerDesktop, socket)
	if b.Host != "unix://"+socket || b.Socket.Distro != stage.DockerDesktop {
		t.Errorf("it said %s", b.Output())
	}
	out, err := fromOutside(ctx, s, stage.DockerDesktop, socket, "run", "--rm", "--network", "none", s.Docker.Image, "echo", "reached")
	if err != nil || out != "reached\n" {
		t.Errorf("docker run: %v: %q", err, out)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	absent(t, s, stage.DockerDesktop, filepath.Dir(socket))
}

// windowsEngine is an engine that says it is Windows, behind a named pipe,
// until the test ends.
func windowsEngine(ctx context.Context, t *testing.T, s *stage.Stage, pipe string) *recorder.Recorder {
	t.Helper()
	r, err := recorder.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	front, err := s.Wine.StartFront(ctx, map[string]string{pipe: r.Addr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := front.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// An engine for Linux containers is never taken without being named; one for
// Windows containers is, although the other has the usual name.
func TestDefaultEngineIsWindows(t *testing.T) {
	ctx, s, _ := onWindows(t)
	const socket = "/run/docker-wsl-bridge/choice.sock"
	said := upFails(ctx, t, s, "--socket", socket)
	contains(t, said, "docker_engine_windows: not there", "dockerDesktopWindowsEngine: not there",
		"docker_engine: a linux engine", "run: docker-wsl-bridge up --pipe docker_engine\n")
	absent(t, s, stage.Debian, socket)

	for _, pipe := range []string{"dockerDesktopWindowsEngine", "docker_engine_windows"} { // the better one last
		r := windowsEngine(ctx, t, s, pipe)
		b := serve(ctx, t, s, "--socket", socket)
		if want := "npipe:////./pipe/" + pipe; b.Engine != want {
			t.Errorf("it took %s, want %s", b.Engine, want)
		}
		out, err := versionAs(ctx, s, stage.User, b.Host)
		if err != nil || !strings.Contains(out, "windows/amd64") {
			t.Errorf("docker version: %v: %s", err, out)
		}
		isVersion := func(q recorder.Request) bool { return q.Method == "GET" && strings.HasSuffix(q.Path, "/version") }
		if !slices.ContainsFunc(r.Requests(), isVersion) {
			t.Errorf("the engine was asked %+v", r.Requests())
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// An engine is named by its pipe in each of the three forms of a name.
func TestAllFormsOfPipeName(t *testing.T) {
	ctx, s, _ := onWindows(t)
	const name = stage.EnginePipe
	for _, form := range []string{name, "npipe:////./pipe/" + name, `\\.\pipe\` + name} {
		b := serve(ctx, t, s, "--pipe", form, "--socket", "/run/docker-wsl-bridge/form.sock")
		if want := "npipe:////./pipe/" + name; b.Engine != want {
			t.Errorf("--pipe %s is %s, want %s", form, b.Engine, want)
		}
		letsIn(ctx, t, s, stage.User, b.Host)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A distro that is not there is told, with the command that lists them.
func TestUnknownDistro(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onWindows(t)
	said := upFails(ctx, t, s, "--pipe", s.EngineAt(), "--distro", "Nowhere")
	contains(t, said, "Nowhere", "no distro of that name", "run: wsl --list --quiet\n")
}

// A pipe that is not there is told, and no socket is left.
func TestNoSuchPipe(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onWindows(t)
	const socket = "/run/docker-wsl-bridge/nopipe.sock"
	said := upFails(ctx, t, s, "--pipe", "no_engine_here", "--socket", socket)
	contains(t, said, "no_engine_here")
	absent(t, s, stage.Debian, socket)
}
