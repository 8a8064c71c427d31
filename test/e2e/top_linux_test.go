package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/top"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/picture"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// screen is a terminal that a program draws on, as a person sees it.
type screen struct {
	keys, program *os.File
	done          chan error

	mu   sync.Mutex
	sees *picture.Terminal
}

func onScreen(t *testing.T, columns, rows uint16, cmd *exec.Cmd) *screen {
	t.Helper()
	keys, program, err := lab.OpenTerminal()
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{keys: keys, program: program, done: make(chan error, 1), sees: picture.NewTerminal(int(columns), int(rows))}
	t.Cleanup(func() {
		program.Close()
		keys.Close()
	})
	if err := unix.IoctlSetWinsize(int(program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // as a rule it has ended
	go s.sees.Follow(keys, &s.mu)
	go func() { s.done <- cmd.Wait() }()
	return s
}

func (s *screen) modes(t *testing.T) unix.Termios {
	t.Helper()
	modes, err := unix.IoctlGetTermios(int(s.program.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *modes
}

// look waits until all these are seen.
func (s *screen) look(t *testing.T, wanted ...string) *picture.Terminal {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		seen := *s.sees
		text := seen.Text()
		s.mu.Unlock()
		missing := ""
		for _, w := range wanted {
			if !regexp.MustCompile(`(?m)` + w).MatchString(text) {
				missing = w
			}
		}
		if missing == "" {
			return &seen
		}
		if time.Now().After(end) {
			t.Fatalf("%s is not seen in\n%s", missing, text)
		}
	}
}

// slowContext is the context of a build that takes its time: a megabyte each tenth of a second.
func slowContext(ctx context.Context) io.Reader {
	r, w := io.Pipe()
	go func() {
		const piece = 1 << 20
		archive := tar.NewWriter(w)
		err := archive.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: 13})
		if err == nil {
			_, err = io.WriteString(archive, "FROM scratch\n")
		}
		err = errors.Join(err, archive.WriteHeader(&tar.Header{Name: "large", Mode: 0o644, Size: 1 << 40}))
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for err == nil {
			select {
			case <-tick.C:
				_, err = archive.Write(make([]byte, piece))
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		w.CloseWithError(err)
	}()
	return r
}

const topSocket = runDir + "/top.sock"

// busy has a bridge of Linux, and clients at several calls.
func busy(ctx context.Context, t *testing.T) *stage.Stage {
	t.Helper()
	_, s, _ := onStage(t)
	b := started(ctx, t, s, s.Linux(context.WithoutCancel(ctx), "up", "--json", "--pipe", "unix:"+s.Docker.Socket, "--socket", topSocket))
	container(ctx, t, s, "topped", "sh", "-c", "echo up; sleep 600")
	r := route{name: "bridge", host: b.Host}.with(debianDocker)
	follow(ctx, t, s, r, "logs", "-f", "topped").next(t)
	follow(ctx, t, s, r, "exec", "topped", "sh", "-c", "echo up; sleep 600").next(t)
	build := r.docker(ctx, s, "build", "-")
	build.Env = append(build.Env, "DOCKER_BUILDKIT=0")
	build.Stdin = slowContext(ctx)
	if err := build.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = build.Process.Kill()
		_ = build.Wait()
	})
	return s
}

// Who is at what is seen in a real terminal, as it changes; the terminal is as before when it is
// left, by q, Ctrl-C or the signals that end a program.
func TestLiveView(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	s := busy(ctx, t)
	for name, leave := range map[string]func(*screen, *exec.Cmd) error{
		"q":      func(w *screen, _ *exec.Cmd) error { _, err := w.keys.WriteString("q"); return err },
		"Ctrl-C": func(w *screen, _ *exec.Cmd) error { _, err := w.keys.WriteString("\x03"); return err },
		"TERM":   func(_ *screen, cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGTERM) },
		"HUP":    func(_ *screen, cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			cmd := s.Linux(ctx, "top", "--socket", topSocket)
			w := onScreen(t, 100, 16, cmd)
			seen := w.look(t, `^windows .* 1\d MB/s .* \d+  docker   POST /build$`, `\d  docker   logs$`, `\d  docker   exec$`, `^Debian +\d+\.\d ms`, `4 streams`)
			if !seen.Alternate || !seen.Hidden {
				t.Error("it draws over what was there")
			}
			if dir := os.Getenv("DWB_PICTURES"); dir != "" && name == "q" {
				savePicture(t, dir, seen)
			}
			if err := leave(w, cmd); err != nil {
				t.Fatal(err)
			}
			if err := <-w.done; err != nil {
				t.Errorf("it ended with %v", err)
			}
			w.look(t, `\A\z`) // nothing is left
			if seen := w.look(t); seen.Alternate || seen.Hidden {
				t.Error("the terminal is not as it was")
			}
			if lflag := w.modes(t).Lflag; lflag&unix.ECHO == 0 || lflag&unix.ICANON == 0 {
				t.Errorf("its modes are %x", lflag)
			}
		})
	}
	scripts(ctx, t, s)
}

// savePicture makes the picture of the docs.
func savePicture(t *testing.T, dir string, seen *picture.Terminal) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(lab.Root(), dir, "top.svg"), picture.SVG(seen.Lines(), "docker-wsl-bridge top"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// scripts want what is seen as data, and true: the process is that of the client, in its distro.
func scripts(ctx context.Context, t *testing.T, s *stage.Stage) {
	t.Helper()
	o := said(t, s.Linux(ctx, "top", "--socket", topSocket, "--once", "--json"))
	var look top.Look
	if err := json.Unmarshal([]byte(o.stdout), &look); err != nil || o.code != 0 || len(look.Links) != 1 || len(look.Links[0].Streams) != 4 {
		t.Fatalf("%v: %+v", err, o)
	}
	build := look.Links[0].Streams[0]
	if p := build.Peer; p == nil || p.UID != 1000 || p.Program != "docker" || p.Call != "POST /build" || build.SentRate < 1e6 || build.Sent < 1e6 {
		t.Fatalf("%+v", build)
	}
	exe, err := s.VM.Command(ctx, stage.Debian, "root", "readlink", "/proc/"+strconv.Itoa(int(build.Peer.PID))+"/exe").Output()
	if err != nil || string(exe) != debianDocker+"\n" {
		t.Errorf("the process is %q, %v", exe, err)
	}
	if o := said(t, s.Linux(ctx, "metrics", "--socket", topSocket)); o.code != 0 || !regexp.MustCompile(`docker_wsl_bridge_sent_bytes_total\{[^}]*socket="`+topSocket+`"\} \d{7}`).MatchString(o.stdout) {
		t.Errorf("metrics: %+v", o)
	}
	if o := said(t, s.Linux(ctx, "top", "--socket", topSocket, "--once")); o.code != 0 || !strings.Contains(o.stdout, "POST /build") || strings.Contains(o.stdout, "\x1b") {
		t.Errorf("%+v", o)
	}
	var piped bytes.Buffer
	cmd := s.Linux(ctx, "top")
	cmd.Stderr = &piped
	if err := cmd.Run(); err == nil || !strings.Contains(piped.String(), ", run: docker-wsl-bridge top --once\n") {
		t.Errorf("without a terminal: %v, %s", err, &piped)
	}
}

// As a Windows program, on a console of Wine's. That knows no sequences and takes them for text, which
// the terminal behind it then obeys: so lines may wrap early, and what is left behind proves nothing.
func TestLiveViewOnWindows(t *testing.T) {
	ctx, s, b := onWindows(t)
	container(ctx, t, s, "topped-on-windows", "sh", "-c", "echo up; sleep 600")
	_, r := routes(s, b)
	follow(ctx, t, s, r, "logs", "-f", "topped-on-windows").next(t)
	w := onScreen(t, 120, 30, s.Windows(ctx, "top"))
	w.look(t, `^windows +\d+s .* \d+  docker   logs$`, `^Debian +\d+\.\d ms`)
	if _, err := w.keys.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	if err := <-w.done; err != nil {
		t.Errorf("it ended with %v", err)
	}
}
