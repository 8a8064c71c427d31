package lab_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// A program that another test may be running is left alone when it is up to
// date: go build alone would write into it.
func TestGoBuildLeavesUpToDateProgramAlone(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out := filepath.Join(t.TempDir(), "program")
	look := func() os.FileInfo {
		t.Helper()
		if err := lab.GoBuild(ctx, runtime.GOOS, out, "./test/lab/testdata/program"); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(out)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	one, two := look(), look()
	if !os.SameFile(one, two) || !one.ModTime().Equal(two.ModTime()) {
		t.Error("it was written again")
	}
	if err := os.WriteFile(out, []byte("old"), 0o755); err != nil {
		t.Fatal(err)
	}
	if three := look(); three.Size() != one.Size() || os.SameFile(two, three) {
		t.Error("an old one was not replaced by a new file")
	}
	if left, err := os.ReadDir(filepath.Dir(out)); len(left) != 1 {
		t.Errorf("left beside it: %v, %v", left, err)
	}
}
