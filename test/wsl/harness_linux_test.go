package wsl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// The distros of every test here.
const (
	debian  = "Debian"
	busybox = "docker-desktop"
)

var distros = []wsl.Distro{
	{Name: busybox, Kind: wsl.Busybox, AutomountRoot: "/mnt/host/"},
	{Name: debian, Kind: wsl.Debian, Default: true, DockerGroup: true, User: "alice"},
}

// bench is what the tests share: one VM, the programs, one Windows.
type bench struct {
	dir     string
	program string // the VM's
	native  string
	vm      *wsl.VM
	wine    *lab.Wine // nil where there is no Wine
	winExe  string
}

var shared *bench // set by TestMain, nil where a part is missing

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	if dir := os.Getenv("STANDIN_PARENT"); dir != "" {
		parent(dir, os.Getenv("STANDIN_PROGRAM")) // see TestDiesWithParent
		return 1
	}
	if lab.Missing(lab.PartRoot, lab.PartBusybox) != nil {
		return m.Run() // every test says for itself what it misses
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "standin-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	b, err := openBench(ctx, dir)
	if err == nil {
		shared = b
		code := m.Run()
		if err = b.close(); err == nil {
			return code
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func openBench(ctx context.Context, dir string) (*bench, error) {
	b := &bench{dir: dir, native: filepath.Join(dir, "bin", "wsl.exe")}
	driveC := filepath.Join(dir, "c")
	if err := os.MkdirAll(filepath.Join(driveC, "Program Files", "agent"), 0o755); err != nil {
		return nil, err
	}
	if err := lab.BuildAt(ctx, "linux", "./test/wsl/cmd/wsl", b.native); err != nil {
		return nil, err
	}
	if lab.Missing(lab.PartWine) == nil {
		b.winExe = filepath.Join(dir, "bin", "windows", "wsl.exe")
		if err := lab.BuildAt(ctx, "windows", "./test/wsl/cmd/wsl", b.winExe); err != nil {
			return nil, err
		}
		wine, err := lab.OpenWine(ctx, dir)
		if err != nil {
			return nil, err
		}
		b.wine = wine
	}
	var err error
	if b.program, err = lab.Build(ctx, "linux", "./test/wsl/cmd/vm"); err != nil {
		return nil, errors.Join(err, b.close())
	}
	b.vm, err = wsl.Start(context.Background(), wsl.Options{
		Dir: filepath.Join(dir, "vm"), Program: b.program, DriveC: driveC, Distros: distros, Stderr: os.Stderr,
	})
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) close() error {
	var err error
	if b.vm != nil {
		err = b.vm.Close()
	}
	if b.wine != nil {
		err = errors.Join(err, b.wine.Close())
	}
	return err
}

// client is one build of wsl.exe.
type client struct {
	name string
	exe  func(ctx context.Context, args ...string) *exec.Cmd
	vm   *wsl.VM
}

// clients are the builds that this machine can run.
func clients(t *testing.T) []client {
	t.Helper()
	lab.Need(t, lab.PartRoot, lab.PartBusybox)
	list := []client{{name: "linux", vm: shared.vm, exe: func(ctx context.Context, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, shared.native, args...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
		return cmd
	}}}
	if shared.wine != nil {
		list = append(list, client{name: "wine", vm: shared.vm, exe: func(ctx context.Context, args ...string) *exec.Cmd {
			return shared.wine.Command(ctx, shared.winExe, args...)
		}})
	}
	return list
}

// each runs a test once for each build, and says so when Wine is missing.
func each(t *testing.T, test func(t *testing.T, c client)) {
	for _, c := range clients(t) {
		t.Run(c.name, func(t *testing.T) { test(t, c) })
	}
	if shared.wine == nil {
		t.Run("wine", func(t *testing.T) { lab.Need(t, lab.PartWine) })
	}
}

// limit bounds every test.
const limit = 60 * time.Second

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// result is what a finished wsl.exe has left.
type result struct {
	stdout, stderr string
	code           uint32 // as a Windows caller sees it
	unix           int    // as a Linux caller sees it
}

// session is a wsl.exe at work.
type session struct {
	cmd  *exec.Cmd
	exit string // file with the exit code
}

// command prepares a wsl.exe. raw, when given, replaces its command line.
func (c client) command(t *testing.T, args ...string) session {
	t.Helper()
	exit := filepath.Join(t.TempDir(), "exit")
	cmd := c.exe(deadline(t), args...)
	cmd.Env = append(cmd.Env, c.vm.Env()...)
	cmd.Env = append(cmd.Env, "WSL_UTF8=1", "WSL_STANDIN_EXIT="+exit)
	return session{cmd, exit}
}

// raw prepares a wsl.exe that takes this text for its whole command line.
func (c client) raw(t *testing.T, line string) session {
	s := c.command(t)
	s.cmd.Env = append(s.cmd.Env, "WSL_STANDIN_RAW="+line)
	return s
}

// run runs it to its end with stdin as input.
func (s session) run(t *testing.T, stdin string) result {
	t.Helper()
	var out, errs bytes.Buffer
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := s.cmd.Run()
	r := s.result(t, err)
	r.stdout, r.stderr = out.String(), lab.WithoutWine(errs.String())
	return r
}

func (s session) result(t *testing.T, err error) result {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.exit)
	if err != nil {
		t.Fatalf("%v (process: %v)", err, s.cmd.ProcessState)
	}
	code, err := strconv.ParseUint(string(text), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return result{code: uint32(code), unix: s.cmd.ProcessState.ExitCode()}
}

// do runs wsl.exe with arguments and without input.
func (c client) do(t *testing.T, args ...string) result {
	t.Helper()
	return c.command(t, args...).run(t, "")
}

// in are the arguments that run a program in a distro as root.
func in(distro string, program ...string) []string {
	return append([]string{"-d", distro, "-u", "root", "--cd", "/", "-e"}, program...)
}

// pipes are the ends of a running wsl.exe's standard files that the test holds.
type pipes struct {
	session
	stdin          io.WriteCloser
	stdout, stderr *os.File
}

// start starts it with three pipes.
func (s session) start(t *testing.T) pipes {
	t.Helper()
	p := pipes{session: s}
	var err error
	if p.stdin, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	var theirs [2]*os.File
	for i, ours := range []**os.File{&p.stdout, &p.stderr} {
		if *ours, theirs[i], err = os.Pipe(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*ours).Close() })
	}
	s.cmd.Stdout, s.cmd.Stderr = theirs[0], theirs[1]
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs[0].Close()
	theirs[1].Close()
	for _, f := range []*os.File{p.stdout, p.stderr} {
		f.SetReadDeadline(time.Now().Add(limit))
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			s.cmd.Process.Kill()
			s.cmd.Wait()
		}
		if t.Failed() {
			rest, _ := io.ReadAll(p.stderr)
			t.Logf("wsl.exe: %v, standard error %.1000q", s.cmd.ProcessState, rest)
		}
	})
	return p
}

// wait waits for the end and returns the exit code. It reads nothing.
func (p pipes) wait(t *testing.T) result {
	t.Helper()
	return p.result(t, p.cmd.Wait())
}

// line reads one line of the child's output.
func line(t *testing.T, r io.Reader) string {
	t.Helper()
	var b []byte
	for c := make([]byte, 1); ; b = append(b, c[0]) {
		if _, err := io.ReadFull(r, c); err != nil {
			t.Fatalf("read a line after %q: %v", b, err)
		}
		if c[0] == '\n' {
			return string(b)
		}
	}
}

// signpost is a FIFO in a distro through which a child tells the test where it
// is, apart from its standard files.
func signpost(t *testing.T, distro, name string) (inside string, f *os.File) {
	t.Helper()
	inside = "/run/signpost-" + strings.ReplaceAll(t.Name(), "/", "-") + name
	outside := shared.vm.Path(distro, inside)
	if err := mkfifo(outside); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(outside, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.SetReadDeadline(time.Now().Add(limit))
	t.Cleanup(func() { f.Close(); os.Remove(outside) })
	return inside, f
}
