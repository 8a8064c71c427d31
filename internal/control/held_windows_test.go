package control

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whoever reads an instance's file does not make its end fail: neither one of ours, which shares it, nor
// another program that lets go within a moment, nor one that holds it on. What stays counts for nothing, and
// goes when somebody looks.
func TestAHeldFileIsNoFailedEnd(t *testing.T) {
	dir := runDir(t)
	hold := func(i *Instance) *os.File {
		t.Helper()
		f, err := os.Open(i.file) // which does not share deletion
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	i := openAt(t, dir, place, handler(nil))
	held := hold(i)
	time.AfterFunc(50*time.Millisecond, func() { held.Close() })
	if err := i.HideFile(); err != nil {
		t.Errorf("held for a moment: %v", err)
	}
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	i = openAt(t, dir, place, handler(nil))
	held = hold(i)
	if err := i.HideFile(); err == nil {
		t.Error("held on: nobody is told")
	}
	if err := i.Close(); err != nil {
		t.Errorf("held on: %v", err)
	}
	none(t, dir)
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	none(t, dir)
	if left, err := filepath.Glob(filepath.Join(dir, "*.json*")); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
