package logs

import (
	"os"
	"path/filepath"
	"testing"
)

// An editor that holds the file keeps it from being renewed, and from nothing else.
func TestAFileThatIsHeldIsWrittenOn(t *testing.T) {
	path := filepath.Join(tempDir(t), "x.log")
	l := openAt(t, path)
	editor, err := os.Open(path) // which shares it but for a rename
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * linesOfFile {
		write(t, l, numberedLine(i))
	}
	if got := printed(t, path, 1<<20); len(got) != 2*linesOfFile {
		t.Errorf("%d lines", len(got))
	}
	if err := editor.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, l, "last")
	if info, err := os.Stat(path); err != nil || info.Size() > 100 {
		t.Errorf("it was not renewed then: %v", err)
	}
}
