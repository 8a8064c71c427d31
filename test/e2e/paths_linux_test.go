package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/recorder"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

func withDriveC(ctx context.Context, t *testing.T, s *stage.Stage) {
	t.Helper()
	if err := s.ShowDriveC(ctx); err != nil {
		t.Fatal(err)
	}
}

// created are the bind mounts of all containers and services that the engine was asked for.
func created(t *testing.T, r *recorder.Recorder) []string {
	t.Helper()
	all, err := r.Mounts()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A person in /mnt/c mounts what is there into a Windows container, with each of the clients; what
// Windows can't reach is refused with the reason.
func TestPathsForAWindowsEngine(t *testing.T) {
	lab.Need(t, lab.PartCompose, lab.PartPython)
	ctx, s, _ := onWindows(t)
	r := windowsEngine(ctx, t, s, "docker_engine_windows")
	b := serve(ctx, t, s, "--socket", "/run/docker-wsl-bridge/paths.sock")
	withDriveC(ctx, t, s)
	bridged := route{name: "bridge", host: b.Host}
	var want []string
	for _, command := range []string{"docker", debianDocker} {
		if o := bridged.with(command).run(ctx, t, s, nil, "create", "-v", `/mnt/c/src:C:\src:ro`, "--mount", `type=bind,source=/mnt/c/data,target=C:\data`, "image"); o.code != 0 {
			t.Errorf("%s: %+v", command, o)
		}
		if o := bridged.with(command).run(ctx, t, s, nil, "service", "create", "-d", "--no-resolve-image", "--mount", `type=bind,source=/mnt/c/service,target=C:\data`, "image"); o.code != 0 {
			t.Errorf("%s: %+v", command, o)
		}
		want = append(want, `C:\src:C:\src:ro`, `C:\data`, `C:\service`)
	}
	want = append(want, createsItself(t, bridged.talk(t, s))...)
	const script = "import docker\nc = docker.from_env().api\n" +
		`c.create_container("image", host_config=c.create_host_config(binds=["/mnt/c/py:C:\\py", "/home/alice/D:\\x:C:\\y"]))`
	python := s.Client(ctx, "env", "DOCKER_HOST="+b.Host, "/usr/bin/python3", "-")
	if o := finish(t, python, strings.NewReader(script)); o.code != 0 {
		t.Errorf("docker-py: %+v", o)
	}
	want = append(want, `C:\py:C:\py`, `D:\x:C:\y`)
	const project = "version: '3.8'\nservices: {web: {image: image, network_mode: none, volumes: ['/mnt/c/compose:C:\\compose']}}\n"
	compose := s.Client(ctx, "env", "DOCKER_HOST="+b.Host, composeProgram, "-f", "-", "-p", "case", "up", "-d")
	_ = finish(t, compose, strings.NewReader(project)) // the recorder runs nothing
	want = append(want, `C:\compose:C:\compose`+composeWords().bind)

	link := s.VM.Command(ctx, stage.Debian, stage.User, "/bin/sh", "-c", "ln -s /mnt/c /home/alice/drive && ln -s drive/../ /home/alice/up")
	if out, err := link.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() {
		_ = os.Remove(in(s, stage.Debian, "/home/alice/drive"))
		_ = os.Remove(in(s, stage.Debian, "/home/alice/up"))
	})
	bridged.must(ctx, t, s, "create", "-v", `/home/alice/drive/linked:C:\src`, "image")
	want = append(want, `C:\linked:C:\src`)
	want = append(want, inEveryShape(ctx, t, s, bridged)...)
	if o := bridged.run(ctx, t, s, nil, "create", "-v", `/home/alice/up/x:C:\src`, "image"); o.code != 1 {
		t.Errorf("a link that leads back: %+v", o)
	}

	o := bridged.run(ctx, t, s, nil, "create", "-v", `/home/alice:C:\src`, "image")
	if o.code != 1 {
		t.Errorf("%+v", o)
	}
	contains(t, o.stderr, `"/home/alice" is in the file system of this Linux distro`, "/mnt/c/Users", "--paths off")
	refusesTooLong(t, bridged.talk(t, s))
	warnsOf(ctx, t, s, b, bridged.talk(t, s))
	got := created(t, r)
	slices.Sort(got) // the docker command keeps its volumes in a map
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the engine was asked for\n%q, want\n%q", got, want)
	}
}

// inEveryShape mounts the same from drive C in each shape that WSL gives it, and a name that Windows can't have.
func inEveryShape(ctx context.Context, t *testing.T, s *stage.Stage, bridged route) (want []string) {
	t.Helper()
	for _, shape := range wsl.Shapes {
		if err := s.ShowDriveAs(ctx, shape); err != nil {
			t.Fatal(err)
		}
		bridged.must(ctx, t, s, "create", "-v", `/mnt/c/shape:C:\src`, "-v", `/mnt/ab/why?:C:\why`, "image")
		want = append(want, `C:\shape:C:\src`, "C:\\a b\uf03ac\\why\uf03f:C:\\why")
	}
	return want
}

// createsItself speaks for a client that waits for the engine's word, and keeps its connection for another
// container. It gives the bind mounts that the engine is to be asked for.
func createsItself(t *testing.T, d *dialogue) []string {
	t.Helper()
	defer d.Close()
	const path, first, second = "/v1.41/containers/create", `{"HostConfig":{"Binds":["/mnt/c/expect:C:\\x"]}}`, `{"HostConfig":{"Binds":["/mnt/c/kept:C:\\x"]}}`
	d.say(t, request(http.MethodPost, path, fmt.Sprint("Content-Length: ", len(first)), "Content-Type: application/json", "Expect: 100-continue"))
	d.answer(t, http.MethodPost, http.StatusContinue)
	d.say(t, first)
	d.answer(t, http.MethodPost, http.StatusCreated)
	d.say(t, request(http.MethodPost, path, fmt.Sprint("Content-Length: ", len(second)), "Content-Type: application/json")+second)
	d.answer(t, http.MethodPost, http.StatusCreated)
	return []string{`C:\expect:C:\x`, `C:\kept:C:\x`}
}

// warnsOf speaks something else than HTTP/1, which passes as it is. The person of the bridge is told, and so is
// who looks into its log.
func warnsOf(ctx context.Context, t *testing.T, s *stage.Stage, b *stage.Bridge, d *dialogue) {
	t.Helper()
	defer d.Close()
	d.say(t, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	const warning = "paths are not translated: what is said on a connection is no HTTP/1"
	if err := b.Await(ctx, `{"event":"warning","distro":"Debian","link":"windows","reason":"`+warning+`"}`); err != nil {
		t.Error(err)
	}
	o := said(t, s.Windows(ctx, "logs", "--distro", stage.Debian, "--socket", strings.TrimPrefix(b.Host, "unix://")))
	contains(t, o.stdout, `level=WARN msg="link windows" state=warning error="`+warning+`"`)
}

// refusesTooLong sends a creation that is too long to be looked into.
func refusesTooLong(t *testing.T, d *dialogue) {
	t.Helper()
	defer d.Close()
	d.say(t, request(http.MethodPost, "/services/create", "Content-Length: 5000000"))
	contains(t, string(d.answer(t, http.MethodPost, http.StatusRequestEntityTooLarge)), "the request is too long to be held")
}

// Off is off, and an engine for Linux containers gets the paths that it was meant to get.
func TestPathsThatStay(t *testing.T) {
	ctx, s, shared := onWindows(t)
	r := windowsEngine(ctx, t, s, "docker_engine_windows")
	b := serve(ctx, t, s, "--socket", "/run/docker-wsl-bridge/paths-off.sock", "--paths", "off")
	withDriveC(ctx, t, s)
	off := route{name: "off", host: b.Host}
	off.must(ctx, t, s, "create", "-v", `/mnt/c/src:C:\src`, "-v", `/home/alice:C:\home`, "image")
	// In any order: the docker command keeps its volumes in a map.
	if got, want := slices.Sorted(slices.Values(created(t, r))), []string{`/home/alice:C:\home`, `/mnt/c/src:C:\src`}; !slices.Equal(got, want) {
		t.Errorf("the engine was asked for %q, want %q", got, want)
	}
	_, bridged := routes(s, shared)
	id := strings.TrimSpace(bridged.must(ctx, t, s, "create", "-v", "/mnt/c:/c", "-v", "/tmp:/t", s.Docker.Image))
	defer bridged.must(ctx, t, s, "rm", id)
	binds := slices.Sorted(strings.Lines(bridged.must(ctx, t, s, "inspect", "-f", `{{join .HostConfig.Binds "\n"}}`, id)))
	if want := []string{"/mnt/c:/c\n", "/tmp:/t\n"}; !slices.Equal(binds, want) {
		t.Errorf("the Linux engine was asked for %q, want %q", binds, want)
	}
}
