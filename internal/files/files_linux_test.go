package files

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// TestUnderWine runs this package's tests as a Windows program.
func TestUnderWine(t *testing.T) { lab.RunUnderWine(t, "./internal/files") }

// Whoever reads while many replace a file finds one of them, whole; nothing else is left.
func TestReplaceIsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			text := make([]byte, 64<<10)
			for k := range text {
				text[k] = byte('a' + i)
			}
			for range 20 {
				if err := Replace(path, text, 0o600); err != nil {
					t.Error(err)
				}
				b, err := Read(path, 1<<20)
				if err != nil || len(b) != len(text) || b[0] != b[len(b)-1] {
					t.Errorf("%d bytes, %v", len(b), err)
				}
			}
		})
	}
	writers.Wait()
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
