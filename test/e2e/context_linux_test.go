package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// metaDir is the docker command's place of the context windows in its user's directory.
const metaDir = "/.docker/contexts/meta/340d600392818df2413382dc7d8325c360d83ea49a262d31760348484bbc10b5"

const aliceHome = "/home/" + stage.User

// readyContext is what `up --json` tells of the docker context.
type readyContext struct {
	Context, ContextNote, ContextError string
	ContextHints                       []codes.Hint
}

func (w *ward) context(t *testing.T) (c readyContext) {
	t.Helper()
	if err := json.NewDecoder(strings.NewReader(w.b.Output())).Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// docker is the docker command of the distro's user, told nothing of where to go.
func (w *ward) docker(ctx context.Context, t *testing.T, args ...string) outcome {
	t.Helper()
	return said(t, w.s.Client(ctx, append([]string{"docker"}, args...)...))
}

func (w *ward) does(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	o := filed(t, w.s.Host(ctx, args...))
	if o.code != 0 {
		t.Fatalf("%q: %+v", args, o)
	}
	return o.stdout
}

// asRoot changes the distro.
func (w *ward) asRoot(ctx context.Context, t *testing.T, script string) {
	t.Helper()
	if out, err := w.s.VM.Command(ctx, w.distro, "root", "/bin/sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", script, err, out)
	}
}

// All that the docker command does with a context, it does with the one that up has made.
func TestContext(t *testing.T) {
	t.Parallel()
	ctx, w := onWindowsWard(t)
	if c := w.context(t); c.Context != "windows" || c.ContextNote+c.ContextError != "" {
		t.Errorf("%+v", c)
	}
	contains(t, w.docker(ctx, t, "context", "ls").stdout, "windows ", "The Docker engine of Windows", "unix://"+wardSocket)
	contains(t, w.docker(ctx, t, "context", "inspect", "windows").stdout, `"Host": "unix://`+wardSocket+`"`)
	if o := w.docker(ctx, t, "--context", "windows", "version"); o.code != 0 || !strings.Contains(o.stdout, "Server:") {
		t.Errorf("docker --context windows version: %+v", o)
	}
	if o := w.docker(ctx, t, "version"); o.code == 0 {
		t.Errorf("docker goes there unasked: %+v", o)
	}
	// The files are the user's, with the rights that docker gives them.
	for file, want := range map[string]string{
		aliceHome + metaDir + "/meta.json": "regular file 644 alice:alice",
		aliceHome + metaDir:                "directory 755 alice:alice",
		path.Join(aliceHome, ".docker"):    "directory 700 alice:alice",
	} {
		wantAttributes(ctx, t, w.s, w.distro, file, want)
	}
	contains(t, said(t, w.s.Host(ctx, "status")).stdout, "context  windows\n") // its exit code is that of everybody's bridges

	if o := w.docker(ctx, t, "context", "use", "windows"); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	if o := w.docker(ctx, t, "version"); o.code != 0 {
		t.Errorf("docker version: %+v", o)
	}
	w.doctor(ctx, t).has(t, "DWB501", "ok", "docker of alice uses the context windows, which is this socket", "")
	contains(t, w.does(ctx, t, "context", "ls"), "windows           unix://"+wardSocket+"  (ours)\n")

	// It stays when the bridge ends, and the next one finds it well.
	if err := w.b.Close(); err != nil {
		t.Fatal(err)
	}
	w.up(ctx, t)
	if o := w.docker(ctx, t, "version"); o.code != 0 {
		t.Errorf("docker version: %+v", o)
	}
	// Without it docker does not stand there with a name of nothing.
	contains(t, w.does(ctx, t, "context", "rm"), "removed the docker context windows of alice in "+w.distro)
	if o := w.docker(ctx, t, "context", "show"); o.code != 0 || o.stdout != "default\n" {
		t.Errorf("docker context show: %+v", o)
	}
	absent(t, w.s, w.distro, aliceHome+"/.docker/contexts")
	if o := w.docker(ctx, t, "--context", "windows", "version"); o.code == 0 {
		t.Errorf("%+v", o)
	}
}

// A context that the user has made is left alone by everything, and it is said.
func TestForeignContext(t *testing.T) {
	t.Parallel()
	ctx, w := openWard(t)
	w.somebody(ctx, t)
	until(ctx, t, "the distro to run", func() bool { _, err := w.s.VM.Pids(w.distro); return err == nil })
	if o := w.docker(ctx, t, "context", "create", "windows", "--docker", "host=tcp://127.0.0.1:9"); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	file := in(w.s, w.distro, aliceHome+metaDir+"/meta.json")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w.up(ctx, t)
	c := w.context(t)
	if c.Context != "" {
		t.Errorf("%+v", c)
	}
	contains(t, c.ContextError, "the docker context windows of alice in "+w.distro+" is not ours", "tcp://127.0.0.1:9")
	contains(t, fmt.Sprintln(c.ContextHints), "--context NAME", "docker context rm windows")
	w.works(ctx, t)
	contains(t, fails(t, w.s.Host(ctx, "context", "rm", "--distro", w.distro)), "is not ours")
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("%s became %s, %v", before, after, err)
	}
}

// Two sockets of a distro: the second has a context if it is asked for, and does not take the first one's.
func TestContextOfASecondSocket(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	const socket = runDir + "/second.sock"
	second := serveEngine(ctx, t, w.s, w.distro, socket)
	if strings.Contains(second.Output(), `"context":`) {
		t.Errorf("it said %s", second.Output())
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	second = serveEngine(ctx, t, w.s, w.distro, socket, "--context", "windows")
	contains(t, second.Output(), `"contextError":"the docker context windows of alice in `+w.distro+" is in use for another socket; it leads to unix://"+wardSocket)
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	serveEngine(ctx, t, w.s, w.distro, socket, "--context", "second")
	for _, name := range []string{"windows", "second"} {
		if o := w.docker(ctx, t, "--context", name, "version"); o.code != 0 {
			t.Errorf("%s: %+v", name, o)
		}
	}
	contains(t, w.docker(ctx, t, "context", "inspect", "windows").stdout, wardSocket)
}

// Where the user's directory is not there, not his, or can't be written, the bridge serves all the same and
// says what cures it. Nothing is written by root.
func TestContextThatCannotBeMade(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t, "--context", "none")
	if strings.Contains(w.b.Output(), `"context`) || !isAbsent(w.s, w.distro, aliceHome+"/.docker") {
		t.Errorf("none was asked for: %s", w.b.Output())
	}
	for _, c := range []struct{ name, breaks, mends, says, cure string }{
		{"not his", "mkdir -m 700 .docker", "rmdir " + aliceHome + "/.docker", "permission denied", "chown -R alice: ~alice/.docker"},
		{"a file", "touch .docker", "rm " + aliceHome + "/.docker", "not a directory", "--context none"},
		{"no directory", "mv " + aliceHome + " /home/away", "mv /home/away " + aliceHome, "no such file or directory", "install -d -o alice ~alice"},
		{"full", "mount -t tmpfs -o size=4k,mode=777 none . && dd if=/dev/zero of=" + aliceHome + "/x bs=4k count=1", "umount " + aliceHome, "no space left", "df -h ~"},
		{"read-only", "mount -t tmpfs -o ro none .", "umount " + aliceHome, "read-only", "df -h ~"},
	} {
		if err := w.b.Close(); err != nil {
			t.Fatal(err)
		}
		w.asRoot(ctx, t, "cd "+aliceHome+" && "+c.breaks)
		w.up(ctx, t)
		got := w.context(t)
		contains(t, got.ContextError, "docker contexts of alice in "+w.distro+": make docker context windows: ", c.says)
		contains(t, fmt.Sprintln(got.ContextHints), c.cure)
		w.works(ctx, t)
		if t.Failed() {
			t.Fatalf("%s: %+v", c.name, got)
		}
		w.asRoot(ctx, t, "cd / && "+c.mends)
	}
	absent(t, w.s, w.distro, aliceHome+"/.docker")
}

// Where the default user is root, it is his own process that writes his own files.
func TestContextOfRoot(t *testing.T) {
	ctx, s, _ := onStage(t)
	serveEngine(ctx, t, s, stage.DockerDesktop, wardSocket)
	cmd := s.Docker.Command(ctx, "context", "ls")
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+in(s, stage.DockerDesktop, "/root/.docker"))
	if o := said(t, cmd); !strings.Contains(o.stdout, "unix://"+wardSocket) {
		t.Errorf("%+v", o)
	}
	if o := filed(t, s.Host(ctx, "context", "rm", "--distro", stage.DockerDesktop)); o.code != 0 {
		t.Errorf("%+v", o)
	}
	absent(t, s, stage.DockerDesktop, "/root/.docker")
}

// A DOCKER_HOST of the distro's user is said. WSL reads /etc/environment for all that it starts.
func TestContextIsShadowed(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	if o := w.docker(ctx, t, "context", "use", "windows"); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	env := append(w.s.VM.Env(), "DOCKER_HOST=tcp://127.0.0.1:9", "WSLENV=DOCKER_HOST/u")
	cmd := w.s.Host(ctx, "context", "create", "--distro", w.distro)
	cmd.Env = append(cmd.Env, env...)
	o := filed(t, cmd)
	contains(t, o.stderr, "DOCKER_HOST is tcp://127.0.0.1:9 there: docker context use windows has no effect while it is, docker --context windows has\n")
	cmd = w.s.Host(ctx, "doctor", "--distro", w.distro)
	cmd.Env = append(cmd.Env, env...)
	contains(t, filed(t, cmd).stdout, "failed   DWB501  alice has chosen the docker context windows, which has no effect: DOCKER_HOST is tcp://127.0.0.1:9\n")

	// up says it, too, and so does DOCKER_CONTEXT.
	up := w.s.Host(context.WithoutCancel(ctx), "up", "--json", "--distro", w.distro, "--pipe", w.s.EngineAt(), "--socket", runDir+"/second.sock", "--context", "second")
	up.Env = append(append(up.Env, w.s.VM.Env()...), "DOCKER_CONTEXT=elsewhere", "WSLENV=DOCKER_CONTEXT/u")
	b, err := w.s.Up(ctx, up)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, b.Output(), `"contextNote":"DOCKER_CONTEXT is elsewhere`)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	w.does(ctx, t, "context", "rm", "second")
}

// Uninstall removes the contexts that are ours, and no other.
func TestUninstallRemovesContexts(t *testing.T) {
	ctx, i := onInstalled(t)
	text := i.does(ctx, t, "install", "--user", "--distro", i.distro, "--pipe", i.s.EngineAt())
	contains(t, text, "docker --context windows version", "docker context use windows")
	if o := i.docker(ctx, t, "--context", "windows", "version"); o.code != 0 {
		t.Errorf("%+v", o)
	}
	if o := i.docker(ctx, t, "context", "create", "own", "--docker", "host=unix://"+wardSocket); o.code != 0 {
		t.Fatalf("%+v", o)
	}
	i.does(ctx, t, "context", "create", "third")
	i.does(ctx, t, "uninstall")
	i.gone(ctx, t)
	o := i.docker(ctx, t, "context", "ls", "-q")
	if o.stdout != "default\nown\n" {
		t.Errorf("%+v", o)
	}
	if left, _ := filepath.Glob(in(i.s, i.distro, aliceHome+"/.docker/contexts/meta/*")); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
}
