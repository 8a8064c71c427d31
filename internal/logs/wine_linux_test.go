package logs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// TestUnderWine runs this package's tests as a Windows program.
func TestUnderWine(t *testing.T) { lab.RunUnderWine(t, "./internal/logs") }

// A link in the place of the directory, or of an older piece, leads no log elsewhere.
func TestLinksLeadNoLogElsewhere(t *testing.T) {
	elsewhere := t.TempDir()
	victim := filepath.Join(elsewhere, "x.log")
	if err := os.WriteFile(victim, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := tempDir(t)
	path := filepath.Join(dir, "x.log")
	l := openAt(t, path)
	if err := os.Symlink(victim, numbered(path, 1)); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * linesOfFile {
		write(t, l, numberedLine(i))
	}
	if err := errors.Join(os.RemoveAll(dir), os.Symlink(elsewhere, dir)); err != nil {
		t.Fatal(err)
	}
	if l, err := Open(path); err == nil {
		t.Errorf("opened through a link: %v", l.Close())
	}
	_, _ = l.Write(make([]byte, maxSize)) // which makes it begin anew
	left, err := os.ReadDir(elsewhere)
	if b, _ := os.ReadFile(victim); err != nil || len(left) != 1 || string(b) != "theirs" {
		t.Errorf("there are %v, %v, with %q", left, err, b)
	}
}
