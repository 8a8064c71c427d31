package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// serve starts a second bridge, which the test's end ends with Ctrl-C. Its
// socket and its engine are in args.
func serve(ctx context.Context, t *testing.T, s *stage.Stage, args ...string) *stage.Bridge {
	t.Helper()
	b, err := s.Up(ctx, s.Host(context.WithoutCancel(ctx), append([]string{"up", "--json"}, args...)...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if b.Cmd.ProcessState != nil {
			return // the test has ended it already
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// serveEngine is serve for the real engine.
func serveEngine(ctx context.Context, t *testing.T, s *stage.Stage, distro, socket string, args ...string) *stage.Bridge {
	t.Helper()
	return serve(ctx, t, s, append([]string{"--pipe", s.EngineAt(), "--distro", distro, "--socket", socket}, args...)...)
}

// upFails runs an `up` that must not come to serve: it ends by itself with
// exit code 1, an error and a hint, which are returned, and nothing on stdout.
func upFails(ctx context.Context, t *testing.T, s *stage.Stage, args ...string) (said string) {
	t.Helper()
	const bound = 2 * time.Minute // it takes about a second
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	return fails(t, s.Host(ctx, append([]string{"up"}, args...)...))
}

// fails is upFails for a command.
func fails(t *testing.T, cmd *exec.Cmd) (said string) {
	t.Helper()
	args := cmd.Args
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	said = lab.WithoutWine(stderr.String())
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || stdout.Len() > 0 {
		t.Fatalf("%q: %v, stdout %q, stderr %q; want exit code 1", args, err, &stdout, said)
	}
	if !strings.Contains(said, "docker-wsl-bridge: error: ") || !strings.Contains(said, "\nhint: ") {
		t.Errorf("up %q has no error and hint: %q", args, said)
	}
	return said
}

// contains wants every part of what was said.
func contains(t *testing.T, said string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(said, part) {
			t.Errorf("%q is not in %q", part, said)
		}
	}
}

// attributes are a file's kind, mode, user and group as its own distro sees them.
func attributes(ctx context.Context, t *testing.T, s *stage.Stage, distro, file string) string {
	t.Helper()
	out, err := s.VM.Command(ctx, distro, "root", "stat", "-c", "%F %a %U:%G", file).CombinedOutput()
	if err != nil {
		t.Fatalf("stat %s: %v: %s", file, err, out)
	}
	return strings.TrimSpace(string(out))
}

func wantAttributes(ctx context.Context, t *testing.T, s *stage.Stage, distro, file, want string) {
	t.Helper()
	if got := attributes(ctx, t, s, distro, file); got != want {
		t.Errorf("%s in %s is %q, want %q", file, distro, got, want)
	}
}

// absent wants nothing at a path of a distro.
func absent(t *testing.T, s *stage.Stage, distro, file string) {
	t.Helper()
	if !isAbsent(s, distro, file) {
		t.Errorf("%s is in %s", file, distro)
	}
}

func isAbsent(s *stage.Stage, distro, file string) bool {
	_, err := os.Lstat(in(s, distro, file))
	return errors.Is(err, os.ErrNotExist)
}

// versionAs asks the engine with the docker command of a user in Debian.
func versionAs(ctx context.Context, s *stage.Stage, user, host string) (string, error) {
	out, err := s.VM.Command(ctx, stage.Debian, user, "docker", "-H", host, "version").CombinedOutput()
	return string(out), err
}

// letsIn wants the user of Debian to reach the engine, keepsOut wants the
// socket to be closed to him.
func letsIn(ctx context.Context, t *testing.T, s *stage.Stage, user, host string) {
	t.Helper()
	if out, err := versionAs(ctx, s, user, host); err != nil || !strings.Contains(out, "Server:") {
		t.Errorf("docker version of %s: %v: %s", user, err, out)
	}
}

func keepsOut(ctx context.Context, t *testing.T, s *stage.Stage, user, host string) {
	t.Helper()
	if out, err := versionAs(ctx, s, user, host); err == nil || !strings.Contains(out, "permission denied") {
		t.Errorf("docker version of %s: %v: %s; want permission denied", user, err, out)
	}
}

// fromOutside is the docker command of the machine at a socket of a distro,
// for distros that have none.
func fromOutside(ctx context.Context, s *stage.Stage, distro, socket string, args ...string) (string, error) {
	out, err := s.Docker.Command(ctx, append([]string{"-H", "unix://" + in(s, distro, socket)}, args...)...).CombinedOutput()
	return string(out), err
}

// The socket is for the group docker where there is one.
func TestSocketForGroupDocker(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	const socket = "/run/docker-wsl-bridge/group.sock"
	b := serveEngine(ctx, t, s, stage.Debian, socket)
	if b.Socket.Distro != stage.Debian || b.Socket.Socket != socket || b.Socket.Mode != "0660" || b.Socket.Owner != "root:docker" || b.Host != "unix://"+socket {
		t.Errorf("it said %s", b.Output())
	}
	wantAttributes(ctx, t, s, stage.Debian, socket, "socket 660 root:docker")
	wantAttributes(ctx, t, s, stage.Debian, path.Dir(socket), "directory 755 root:root")
	letsIn(ctx, t, s, stage.User, b.Host)
	keepsOut(ctx, t, s, "nobody", b.Host)
}

// Without a group docker the socket is the default user's, and the words for a
// person say so.
func TestSocketForDefaultUser(t *testing.T) {
	ctx, s, _ := onStage(t)
	const socket = "/run/docker-wsl-bridge/windows.sock" // the default
	console, err := s.Wine.Console(s.Host(context.WithoutCancel(ctx), "up", "--pipe", s.EngineAt(), "--distro", stage.Plain))
	if err != nil {
		t.Fatal(err)
	}
	b := &stage.Bridge{Console: console}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := b.Await(ctx, "Ctrl-C ends the bridge."); err != nil {
		t.Fatal(err)
	}
	told := false
	for line := range strings.Lines(b.Output()) {
		told = told || strings.Join(strings.Fields(line), " ") == "socket "+socket+" alice:alice 0600"
	}
	if !told {
		t.Errorf("whose the socket is was not told: %s", b.Output())
	}
	contains(t, b.Output(), "In "+stage.Plain+" run", "docker --context windows version", "export DOCKER_HOST=unix://"+socket)
	wantAttributes(ctx, t, s, stage.Plain, socket, "socket 600 alice:alice")
	if out, err := fromOutside(ctx, s, stage.Plain, socket, "version"); err != nil {
		t.Errorf("docker version: %v: %s", err, out)
	}
}

// The socket has the mode and the owner that were asked for.
func TestSocketModeAndOwner(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	const everybody, group = "/run/docker-wsl-bridge/everybody.sock", "/run/docker-wsl-bridge/nogroup.sock"
	open := serveEngine(ctx, t, s, stage.Debian, everybody, "--socket-mode", "0666", "--socket-owner", stage.User)
	if open.Socket.Mode != "0666" || open.Socket.Owner != "alice:alice" {
		t.Errorf("it said %s", open.Output())
	}
	wantAttributes(ctx, t, s, stage.Debian, everybody, "socket 666 alice:alice")
	letsIn(ctx, t, s, "nobody", open.Host)

	// nobody is in nogroup, alice is not.
	narrow := serveEngine(ctx, t, s, stage.Debian, group, "--socket-owner", "root:nogroup")
	if narrow.Socket.Mode != "0660" || narrow.Socket.Owner != "root:nogroup" {
		t.Errorf("it said %s", narrow.Output())
	}
	wantAttributes(ctx, t, s, stage.Debian, group, "socket 660 root:nogroup")
	letsIn(ctx, t, s, "nobody", narrow.Host)
	keepsOut(ctx, t, s, stage.User, narrow.Host)
}

// A user, a group or a mode that is none is told, and nothing is made.
func TestWrongSocketModeOrOwner(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	const socket = "/run/docker-wsl-bridge/wrong.sock"
	for _, c := range []struct{ flag, value, says string }{
		{"--socket-owner", "mallory", `no user "mallory"`},
		{"--socket-owner", "alice:elves", `no group "elves"`},
		{"--socket-mode", "0888", `"0888"`},
		{"--socket-mode", "rw-rw----", `"rw-rw----"`},
	} {
		said := upFails(ctx, t, s, "--pipe", s.EngineAt(), "--distro", stage.Debian, "--socket", socket, c.flag, c.value)
		contains(t, said, c.says)
		absent(t, s, stage.Debian, socket)
	}
}

// A socket that nobody listens on is replaced.
func TestStaleSocketIsReplaced(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	const socket = "/run/docker-wsl-bridge/stale.sock"
	outside := in(s, stage.Debian, socket)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: outside, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	wantAttributes(ctx, t, s, stage.Debian, socket, "socket 755 root:root")
	b := serveEngine(ctx, t, s, stage.Debian, socket)
	wantAttributes(ctx, t, s, stage.Debian, socket, "socket 660 root:docker")
	letsIn(ctx, t, s, stage.User, b.Host)
}

// listener starts a program of the distro that accepts at a path and sends a
// word to everybody.
func listener(ctx context.Context, t *testing.T, s *stage.Stage, socket, word string) {
	t.Helper()
	cmd := s.VM.Command(ctx, stage.Debian, "root", "socat", "UNIX-LISTEN:"+socket+",fork", "SYSTEM:echo "+word)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.Remove(in(s, stage.Debian, socket))
	})
	until(ctx, t, "another program to listen", func() bool { return hear(s, socket) == word })
}

// hear is what a listener says, without the newline.
func hear(s *stage.Stage, socket string) string {
	conn, err := net.DialTimeout("unix", in(s, stage.Debian, socket), time.Minute)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	said, err := io.ReadAll(conn)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(said))
}

// A socket that somebody listens on is left alone, and its owner named.
func TestLiveSocketIsLeftAlone(t *testing.T) {
	t.Parallel()
	ctx, s, b := onWindows(t)
	const socket = "/run/docker-wsl-bridge/live.sock"
	listener(ctx, t, s, socket, "mine")
	before := attributes(ctx, t, s, stage.Debian, socket)
	said := upFails(ctx, t, s, "--pipe", s.EngineAt(), "--distro", stage.Debian, "--socket", socket)
	contains(t, said, socket, "socat", "(pid ", "run: docker-wsl-bridge up --socket ")
	wantAttributes(ctx, t, s, stage.Debian, socket, before)
	// Now and then socat loses what a program says that ends at once.
	until(ctx, t, "the other program to answer still", func() bool { return hear(s, socket) == "mine" })
	// The bridge that is there already is another program, too, where it can't be asked:
	// the one on Windows is none of Linux.
	said = fails(t, s.Linux(ctx, "up", "--pipe", "unix:"+s.Docker.Socket))
	contains(t, said, b.Socket.Socket, "another docker-wsl-bridge (pid ", "run: docker-wsl-bridge up --socket ")
	letsIn(ctx, t, s, stage.User, b.Host)
}

// A file or a directory in the socket's place is left alone.
func TestFileAtTheSocketsPathIsLeftAlone(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	const dir, text = "/run/precious", "precious"
	outside := in(s, stage.Debian, dir)
	if err := os.Mkdir(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(outside) })
	if err := os.WriteFile(outside+"/file", []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", outside+"/link"); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{"file": "a file", "link": "a symbolic link"} {
		said := upFails(ctx, t, s, "--pipe", s.EngineAt(), "--distro", stage.Debian, "--socket", dir+"/"+name)
		contains(t, said, dir+"/"+name, says)
	}
	wantAttributes(ctx, t, s, stage.Debian, dir+"/file", "regular file 640 root:root")
	if got, err := os.ReadFile(outside + "/file"); err != nil || string(got) != text {
		t.Errorf("the file is %q, %v", got, err)
	}
	if to, err := os.Readlink(outside + "/link"); err != nil || to != "file" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if list, err := os.ReadDir(outside); err != nil || len(list) != 2 {
		t.Errorf("the directory has %v, %v", list, err)
	}
}

// What a user could exchange is no way to a socket of root's, wherever he has
// put it; root's own link is one.
func TestWayToTheSocket(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	run := func(user, script string) {
		t.Helper()
		if out, err := s.VM.Command(ctx, stage.Debian, user, "/bin/sh", "-c", script).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", script, err, out)
		}
	}
	t.Cleanup(func() {
		cmd := s.VM.Command(context.WithoutCancel(ctx), stage.Debian, "root", "rm", "-rf", "/tmp/trap", "/var/dwb-run", "/home/alice/sockets")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	run(stage.User, "mkdir -p /home/alice/sockets && ln -s /etc /tmp/trap")
	run("root", "mkdir /home/alice/sockets/of-root; ln -s ../run /var/dwb-run")
	for socket, says := range map[string]string{
		"/home/alice/sockets/of-root/x.sock": "directory /home/alice belongs to uid 1000, who could replace the socket",
		"/home/alice/x.sock":                 "directory /home/alice belongs to uid 1000, who could replace the socket",
		"/tmp/trap/deeper/x.sock":            "/tmp/trap is a symbolic link of uid 1000, who could lead it elsewhere",
	} {
		said := upFails(ctx, t, s, "--pipe", s.EngineAt(), "--distro", stage.Debian, "--socket", socket)
		contains(t, said, says, "run: docker-wsl-bridge up --socket ")
		absent(t, s, stage.Debian, socket)
	}
	absent(t, s, stage.Debian, "/etc/deeper")
	b := serveEngine(ctx, t, s, stage.Debian, "/var/dwb-run/docker-wsl-bridge/linked.sock")
	letsIn(ctx, t, s, stage.User, b.Host)
	wantAttributes(ctx, t, s, stage.Debian, "/run/docker-wsl-bridge/linked.sock", "socket 660 root:docker")
}
