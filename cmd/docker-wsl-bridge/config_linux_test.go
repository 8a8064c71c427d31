package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
)

// A link in the place of the directory leads no new configuration elsewhere, nor its schema.
func TestLinksLeadNoConfigurationElsewhere(t *testing.T) {
	elsewhere, dir := t.TempDir(), filepath.Join(t.TempDir(), "docker-wsl-bridge")
	if err := os.Symlink(elsewhere, dir); err != nil {
		t.Fatal(err)
	}
	if err := links.WriteStarter(filepath.Join(dir, "config.toml")); err == nil {
		t.Error("the link is followed")
	}
	if left, err := os.ReadDir(elsewhere); err != nil || len(left) != 0 {
		t.Errorf("there are %v, %v", left, err)
	}
}
