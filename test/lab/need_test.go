package lab_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

func TestRoot(t *testing.T) {
	if _, err := os.Stat(filepath.Join(lab.Root(), "test", "lab", "need_test.go")); err != nil {
		t.Error(err)
	}
}

// Who lacks something is told what, and the command that cures it.
func TestMissingNamesTheCure(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the parts exist on linux only")
	}
	if err := lab.Missing(); err != nil {
		t.Error(err)
	}
	t.Setenv("PATH", "/nonexistent")
	err := lab.Missing(lab.PartSocat, lab.PartNsenter)
	if err == nil {
		t.Fatal("nothing is missing without a PATH")
	}
	for _, word := range []string{"socat", "nsenter", "test/setup"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not name %s", err, word)
		}
	}
}
