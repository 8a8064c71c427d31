package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
)

// Engines at Windows' pipes and in distros that run, each with how it is linked: for Windows, for Linux, one
// that lets nobody in, a stranger's. Without the agent the sockets of a distro are named and not asked.
// A distro that does not run is not started.
func TestDiscover(t *testing.T) {
	ctx, w := onWindowsWard(t)
	windowsEngine(ctx, t, w.s, "docker_engine_windows")
	front, err := w.s.Wine.StartFront(ctx, map[string]string{"podman-machine-default": w.s.Docker.TCP, "dockerDesktopLinuxEngine": "denied"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = front.Close() })
	stranger := windowsEngine(ctx, t, w.s, "docker_engine_linux@"+stranger)
	// Another bridge stands for an engine of the distro.
	serveEngine(ctx, t, w.s, w.distro, "/run/docker.sock")
	o := filed(t, w.s.Windows(ctx, "discover", "--json"))
	var told struct {
		Engines []struct {
			Distro, Place, Problem string
			Engine                 struct{ OSType, Version, APIVersion, MinAPIVersion string }
			Use                    []codes.Hint
		}
	}
	if err := json.Unmarshal([]byte(o.stdout), &told); err != nil || o.code != 0 {
		t.Fatalf("%v: %+v", err, o)
	}
	var places []string
	for _, e := range told.Engines {
		places = append(places, e.Distro+" "+strings.TrimPrefix(e.Place, "npipe:////./pipe/"))
		says := []string{e.Engine.OSType, e.Problem, fmt.Sprint(e.Use)}
		t.Logf("%s: %q", e.Place, says)
		want := map[string]string{
			"docker_engine_windows":     "windows,,[DWB301: to link it to a distro, run: docker-wsl-bridge up --pipe docker_engine_windows]",
			"docker_engine":             "linux,,[DWB204: to link it to a distro, although it runs linux containers, run: docker-wsl-bridge up --pipe docker_engine]",
			"podman-machine-default":    "although it runs linux containers, run: docker-wsl-bridge up --pipe podman-machine-default]",
			"dockerDesktopLinuxEngine":  `"group": "docker-users"`,
			"docker_engine_linux":       "--trust-pipe-owner",
			"unix:/var/run/docker.sock": "linux,,[DWB501: to use it, in " + w.distro + " itself, run: ",
		}[strings.TrimPrefix(e.Place, "npipe:////./pipe/")]
		contains(t, strings.Join(says, ","), want)
		if e.Engine.OSType == "linux" && (e.Engine.Version == "" || e.Engine.APIVersion == "" || e.Engine.MinAPIVersion == "") {
			t.Errorf("%+v", e)
		}
	}
	if want := []string{" docker_engine_windows", " docker_engine", " dockerDesktopLinuxEngine", " docker_engine_linux", " podman-machine-default", w.distro + " unix:/var/run/docker.sock"}; !slices.Equal(places, want) {
		t.Errorf("%q, want %q", places, want)
	}
	heardNothing(t, stranger)
	// Without the agent's file nothing is asked there, and nothing is put there to ask.
	agent := filepath.Join(in(w.s, w.distro, runDir), "agent-*")
	if files, err := filepath.Glob(agent); len(files) != 1 || os.Remove(files[0]) != nil {
		t.Fatalf("agents %q, %v", files, err)
	}
	if err := os.Mkdir(in(w.s, w.distro, "/run/podman"), 0o755); err != nil {
		t.Fatal(err)
	}
	podman, err := net.Listen("unix", in(w.s, w.distro, "/run/podman/podman.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer podman.Close()
	contains(t, filed(t, w.s.Windows(ctx, "discover")).stdout, "podman-machine-default  (Podman)\n", ", for linux containers, API ",
		w.distro+"  unix:/var/run/docker.sock\n          there, not asked: ", "\n          DWB501: to use it, in "+w.distro+" itself, run: docker -H unix:///var/run/docker.sock version\n",
		w.distro+"  unix:/run/podman/podman.sock\n          the distro's user may not connect: permission denied\n")
	if files, _ := filepath.Glob(agent); len(files) > 0 {
		t.Errorf("it put %q there", files)
	}
	if err := w.s.VM.Terminate(w.distro); err != nil {
		t.Fatal(err)
	}
	w.happens(ctx, t, "distro-stopped", 1)
	if o := filed(t, w.s.Windows(ctx, "discover")); o.code != 0 || strings.Contains(o.stdout, w.distro) {
		t.Errorf("%+v", o)
	}
	if _, err := w.s.VM.Pids(w.distro); err == nil {
		t.Error("it started the distro")
	}
}
