package lab_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

const program = "./test/lab/testdata/program"

// open is a prefix with the test program; both go with the test.
func open(t *testing.T) (context.Context, *lab.Wine, string) {
	t.Helper()
	lab.Need(t, lab.PartWine)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	exe, err := lab.Build(ctx, "windows", program)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	w, err := lab.OpenWine(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("wine took %v to open", time.Since(begun).Round(time.Millisecond))
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return ctx, w, exe
}

// Arguments reach a Windows program as they are, its output comes back as it
// is, its exit code too, and nothing of this shell's environment leaks in.
func TestWineRunsPrograms(t *testing.T) {
	t.Setenv("DOCKER_HOST", "tcp://leak")
	ctx, w, exe := open(t)
	out, err := w.Command(ctx, exe, "args", "a b", `c"d`, "ü", `back\slash\`, "").Output()
	if got := string(out); got != `["a b" "c\"d" "ü" "back\\slash\\" ""]` {
		t.Errorf("arguments %s", got)
	}
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 3 {
		t.Errorf("exit 3 became %v", err)
	}
	set, err := w.Command(ctx, "cmd.exe", "/c", "set").Output()
	if err != nil || strings.Contains(string(set), "DOCKER_HOST") {
		t.Errorf("environment %s, %v", set, err)
	}
}

// A Go program has its random numbers, which differ each time.
func TestWineHasProcessPrng(t *testing.T) {
	ctx, w, exe := open(t)
	one, err1 := w.Command(ctx, exe, "random").Output()
	two, err2 := w.Command(ctx, exe, "random").Output()
	if err1 != nil || err2 != nil || len(one) < 16 || string(one) == string(two) {
		t.Errorf("%s %v, %s %v", one, err1, two, err2)
	}
}

// Two prefixes at once don't see each other's files, registry or programs, and
// what one writes never comes back in a new one.
func TestPrefixesAreApart(t *testing.T) {
	ctx, a, exe := open(t)
	_, b, _ := open(t)
	if err := os.WriteFile(filepath.Join(a.DriveC(), "mine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := a.Command(ctx, "reg", "add", `HKCU\Software\Mine`).CombinedOutput(); err != nil {
		t.Fatal(string(out), err)
	}
	if err := b.Command(ctx, "reg", "query", `HKCU\Software\Mine`).Run(); err == nil {
		t.Error("the other prefix has the key")
	}
	if _, err := os.Stat(filepath.Join(b.DriveC(), "mine")); err == nil {
		t.Error("the other prefix has the file")
	}
	c := start(t, ctx, a, exe, "wait")
	if len(a.Processes()) != 1 || len(b.Processes()) != 0 {
		t.Errorf("processes %q and %q", a.Processes(), b.Processes())
	}
	interrupt(t, ctx, c)
}

func start(t *testing.T, ctx context.Context, w *lab.Wine, exe, what string) *lab.Console {
	t.Helper()
	c, err := w.Console(w.Command(ctx, exe, what))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Await(ctx, "ready"); err != nil {
		t.Fatal(err)
	}
	return c
}

func interrupt(t *testing.T, ctx context.Context, c *lab.Console) {
	t.Helper()
	if err := c.Interrupt(); err != nil {
		t.Fatal(err)
	}
	if err := c.End(ctx, 7); err != nil {
		t.Error(err)
	}
}

// Ctrl-C is os.Interrupt to a Go program, and its last words are heard.
func TestConsoleInterrupt(t *testing.T) {
	ctx, w, exe := open(t)
	for range 5 {
		c := start(t, ctx, w, exe, "wait")
		begun := time.Now()
		interrupt(t, ctx, c)
		t.Logf("ended %v after ctrl-c", time.Since(begun).Round(time.Millisecond))
		if !strings.HasSuffix(c.Output(), "got ctrl-c\ngoodbye\n") {
			t.Errorf("said %q", c.Output())
		}
	}
}

// A child without a window is not in the person's console: it does not get the
// Ctrl-C, just as on Windows.
func TestConsoleInterruptSparesHiddenChild(t *testing.T) {
	ctx, w, exe := open(t)
	c := start(t, ctx, w, exe, "child")
	interrupt(t, ctx, c)
	if !strings.Contains(c.Output(), "the child lives on") {
		t.Errorf("said %q", c.Output())
	}
}

// The end of the opening process, kill -9 included, is the end of its Windows.
// The second process of this test is this test itself.
func TestWineDiesWithItsOpener(t *testing.T) {
	if dir := os.Getenv("LAB_TEST_DIE"); dir != "" {
		w, err := lab.OpenWine(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		// Not before all is up: a program whose start meets the end of its
		// server waits for an answer for ever, SIGTERM blocked.
		start(t, t.Context(), w, os.Getenv("LAB_TEST_EXE"), "wait")
		os.Stdout.WriteString("opened\n")
		select {} // until the kill
	}
	lab.Need(t, lab.PartWine)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	exe, err := lab.Build(ctx, "windows", program)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestWineDiesWithItsOpener$")
	cmd.Env = append(os.Environ(), "LAB_TEST_DIE="+dir, "LAB_TEST_EXE="+exe)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, len("opened"))
	if _, err := out.Read(said); err != nil || string(said) != "opened" {
		t.Fatalf("%q %v", said, err)
	}
	if len(holding(t, dir)) == 0 {
		t.Fatal("no process of Wine to be seen")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for len(holding(t, dir)) > 0 {
		if ctx.Err() != nil {
			t.Fatalf("alive: %q", holding(t, dir))
		}
		time.Sleep(10 * time.Millisecond) // strangers now: nobody tells of their end
	}
}

// holding are the processes that have dir in their environment as a prefix.
func holding(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range files {
		if b, _ := os.ReadFile(f); strings.Contains(string(b), "WINEPREFIX="+dir) {
			list = append(list, f)
		}
	}
	return list
}
