package main

import (
	"path/filepath"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// TestUnderWine runs what needs Windows as a Windows program, with the program
// itself under Wine's service control manager.
func TestUnderWine(t *testing.T) {
	lab.Need(t, lab.PartWine)
	dir, err := lab.Product(t.Context(), "windows")
	if err != nil {
		t.Fatal(err)
	}
	lab.RunUnderWine(t, "./cmd/docker-wsl-bridge", "-test.run=^Test(Service|Legacy|Supervise)", "-program="+filepath.Join(dir, "docker-wsl-bridge.exe"))
}
