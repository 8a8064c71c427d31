package lab

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// RunUnderWine runs the tests of a package ("./internal/endpoint") as Windows
// knows them: built for Windows, in the package's directory, in a prefix of
// their own, where they must leave nothing running. Arguments are those of a test program ("-test.run=Pipe").
func RunUnderWine(t *testing.T, pkg string, args ...string) {
	t.Helper()
	runUnderWine(t, (*Wine).Command, pkg, args)
}

// RunAsAdministrator is RunUnderWine with an administrator's rights.
func RunAsAdministrator(t *testing.T, pkg string, args ...string) {
	t.Helper()
	runUnderWine(t, (*Wine).Administrator, pkg, args)
}

func runUnderWine(t *testing.T, command func(w *Wine, ctx context.Context, exe string, args ...string) *exec.Cmd, pkg string, args []string) {
	t.Helper()
	Need(t, PartWine)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	exe, err := BuildTest(ctx, "windows", pkg)
	if err != nil {
		t.Fatal(err)
	}
	w, err := OpenWine(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(w, ctx, exe, append([]string{"-test.v", "-test.timeout=3m"}, args...)...)
	cmd.Dir = filepath.Join(Root(), pkg)
	// Not a pipe: hidden consoles (conhost.exe) inherit a program's handles, and
	// may hold it for seconds when all else has ended.
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	err = cmd.Run()
	left := w.Processes()
	for end := time.Now().Add(5 * time.Second); len(left) > 0 && time.Now().Before(end); left = w.Processes() {
		time.Sleep(20 * time.Millisecond) // what has ended for Windows may be there for a moment more
	}
	said, readErr := os.ReadFile(output.Name())
	err = errors.Join(err, readErr)
	if err = errors.Join(err, w.Close()); err != nil || len(left) > 0 {
		t.Fatalf("under wine: %v\n%s\nleft behind: %q", err, said, left)
	}
	t.Logf("under wine:\n%s", strings.TrimSpace(string(said)))
}
