package lab

import (
	"context"
	"errors"
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
	cmd := w.Command(ctx, exe, append([]string{"-test.v", "-test.timeout=3m"}, args...)...)
	cmd.Dir = filepath.Join(Root(), pkg)
	said, err := cmd.CombinedOutput()
	left := w.Processes()
	if err = errors.Join(err, w.Close()); err != nil || len(left) > 0 {
		t.Fatalf("under wine: %v\n%s\nleft behind: %q", err, said, left)
	}
	t.Logf("under wine:\n%s", strings.TrimSpace(string(said)))
}
