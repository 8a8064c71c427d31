package files

import (
	"os"
	"path/filepath"
	"testing"
)

// Whom we read a file of can rename, replace and remove it meanwhile.
func TestOpenHoldsNobodyUp(t *testing.T) {
	dir, err := os.MkdirTemp("", "dwb-files-") // testing's own can't be removed under Wine 8
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	path := filepath.Join(dir, "x.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Rename(path, path+".1"); err != nil {
		t.Error(err)
	}
	if err := os.Remove(path + ".1"); err != nil {
		t.Error(err)
	}
}
