package e2e

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// ioctl asks the terminal something at the command's end.
func (term *terminal) ioctl(t *testing.T, ask func(fd int) error) {
	t.Helper()
	raw, err := term.screen.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var refused error
	if err := raw.Control(func(fd uintptr) { refused = ask(int(fd)) }); err != nil || refused != nil {
		t.Fatal(err, refused)
	}
}

// awaitRaw waits until the docker command has taken the terminal over: what is
// typed before is echoed once more.
func (term *terminal) awaitRaw(ctx context.Context, t *testing.T) {
	t.Helper()
	until(ctx, t, "the terminal to be taken over", func() (taken bool) {
		term.ioctl(t, func(fd int) error {
			modes, err := unix.IoctlGetTermios(fd, unix.TCGETS)
			taken = err == nil && modes.Lflag&(unix.ECHO|unix.ICANON) == 0
			return err
		})
		return taken
	})
}

// pressed types keys one by one, as people do: the docker command finds detach
// keys only where each comes alone.
func (term *terminal) pressed(ctx context.Context, t *testing.T, keys string) {
	t.Helper()
	for _, key := range keys {
		term.typed(t, string(key))
		until(ctx, t, "a key to be taken", func() (taken bool) {
			term.ioctl(t, func(fd int) error {
				waiting, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
				taken = waiting == 0
				return err
			})
			return taken
		})
	}
}

// codeOf is the exit code of a command that has ended, -1 for a signal's.
func codeOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

// A person looks at a container and leaves it with the detach keys; it goes on,
// and can be looked at again. Straight at the engine means its unix socket
// here: over TCP the docker command itself hangs at its detach keys, whose
// error comes back wrapped from net.TCPConn.ReadFrom.
func TestAttachDetachKeys(t *testing.T) {
	t.Parallel()
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	direct.must(ctx, t, s, "run", "-dit", "--network", "none", "--name", "visited", s.Docker.Image,
		"sh", "-c", "while read word; do echo got $word; done")
	t.Cleanup(func() { direct.must(context.WithoutCancel(ctx), t, s, "rm", "-f", "visited") })
	for _, c := range []struct{ args, keys string }{
		{"attach visited", "\x10\x11"}, // Ctrl-P Ctrl-Q
		{"attach --detach-keys ctrl-x,x visited", "\x18x"},
	} {
		args := strings.Fields(c.args)
		var seen [2]outcome
		for i, cmd := range []*exec.Cmd{s.Docker.Command(ctx, args...), bridged.docker(ctx, s, args...)} {
			term := atTerminal(t, 30, 100, cmd)
			term.awaitRaw(ctx, t)
			term.typed(t, "one\r")
			term.await(ctx, t, "got one\r\n")
			term.pressed(ctx, t, c.keys)
			seen[i].stdout = term.await(ctx, t, "read escape sequence\r\n")
			seen[i].code = codeOf(t, <-term.done)
			if state := direct.must(ctx, t, s, "inspect", "-f", "{{.State.Status}}", "visited"); state != "running\n" {
				t.Errorf("%s: the container is %q", c.args, state)
			}
		}
		same(t, seen[1], seen[0], args...)
	}
}

// signalled says which signal has reached it, between lines that show who
// listens.
const signalled = "trap 'echo term; exit 41' TERM; trap 'echo int; exit 42' INT; while :; do echo tick; sleep 0.1; done"

// signals are what a client passes on, and the container's answer.
var signals = []struct {
	signal syscall.Signal
	says   string
	code   int
}{
	{syscall.SIGTERM, "term", 41},
	{syscall.SIGINT, "int", 42},
}

// A signal to the client of a container without a terminal is the container's.
func TestSignalProxy(t *testing.T) {
	t.Parallel()
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	for _, r := range []route{direct, bridged} {
		for _, c := range signals {
			runs := follow(ctx, t, s, r, once(s.Docker.Image, []string{"--sig-proxy"}, signalled)...)
			wantSignalled(t, r.name+" run", runs, c.signal, c.says, c.code)

			name := "signalled-" + r.name + "-" + c.says
			container(ctx, t, s, name, "sh", "-c", signalled)
			looks := follow(ctx, t, s, r, "attach", "--sig-proxy", "--no-stdin", name)
			wantSignalled(t, r.name+" attach", looks, c.signal, c.says, c.code)
		}
	}
}

func wantSignalled(t *testing.T, what string, f *follower, signal syscall.Signal, says string, code int) {
	t.Helper()
	f.next(t) // it is there
	if err := f.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	lines, err := f.rest()
	got := codeOf(t, err)
	answers := slices.DeleteFunc(lines, func(line string) bool { return line == "tick" })
	if !slices.Equal(answers, []string{says}) || got != code {
		t.Errorf("%s: after %v exit code %d and %q, want %d and %s", what, signal, got, answers, code, says)
	}
}

// Without that, the signal is the client's alone, and the container goes on. A
// client may want to be told more than once before it leaves.
func TestNoSignalProxy(t *testing.T) {
	t.Parallel()
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	container(ctx, t, s, "untouched", "sh", "-c", signalled)
	for _, c := range signals {
		var code [2]int
		for i, r := range []route{direct, bridged} {
			f := follow(ctx, t, s, r, "attach", "--sig-proxy=false", "--no-stdin", "untouched")
			f.next(t)
			gone := make(chan error, 1)
			go func() {
				_, err := f.rest()
				gone <- err
			}()
			until(ctx, t, "the client to leave", func() bool {
				_ = f.cmd.Process.Signal(c.signal) // an error means that it has left
				return len(gone) > 0
			})
			code[i] = codeOf(t, <-gone)
		}
		// A signal that comes when the client handles none any more kills it: -1, on either route.
		died := code[0] < 0 || code[1] < 0
		if code[0] != code[1] && !died || code[0] == c.code || code[1] == c.code {
			t.Errorf("after %v: exit code %d, direct %d", c.signal, code[1], code[0])
		}
		if state := direct.must(ctx, t, s, "inspect", "-f", "{{.State.Status}}", "untouched"); state != "running\n" {
			t.Errorf("after %v the container is %q", c.signal, state)
		}
	}
	if rest := strings.ReplaceAll(direct.must(ctx, t, s, "logs", "untouched"), "tick\n", ""); rest != "" {
		t.Errorf("the container got a signal and said %q", rest)
	}
}
