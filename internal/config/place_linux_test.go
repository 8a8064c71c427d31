package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// trustedDir is one that only root can write to, up to the root.
func trustedDir(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root makes a file that is root's")
	}
	dir, err := os.MkdirTemp("/run", "dwb-config-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestMachineFileCountsIfRootAloneCanChangeIt(t *testing.T) {
	dir := trustedDir(t)
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, []byte(machineText), 0o644); err != nil {
		t.Fatal(err)
	}
	load := func() *Config {
		t.Helper()
		c, err := Load(file, "")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := load(); len(c.Links) != 2 || c.Ignored != nil || len(c.Files) != 1 {
		t.Errorf("%+v", c)
	}
	for what, change := range map[string]struct{ do, undo func() error }{
		"the file is somebody's":            {func() error { return os.Chown(file, 1000, 0) }, func() error { return os.Chown(file, 0, 0) }},
		"a group can write the file":        {func() error { return os.Chmod(file, 0o664) }, func() error { return os.Chmod(file, 0o644) }},
		"everybody can write its directory": {func() error { return os.Chmod(dir, 0o777) }, func() error { return os.Chmod(dir, 0o700) }},
		"its directory is somebody's":       {func() error { return os.Chown(dir, 1000, 0) }, func() error { return os.Chown(dir, 0, 0) }},
	} {
		if err := change.do(); err != nil {
			t.Fatal(err)
		}
		if c := load(); !c.Default || !errors.Is(c.Ignored, ErrUntrusted) {
			t.Errorf("%s: %+v", what, c)
		}
		if err := change.undo(); err != nil {
			t.Fatal(err)
		}
	}
	if c := load(); len(c.Links) != 2 {
		t.Errorf("%+v", c)
	}
}

// A pipe in the place of the file is not waited for.
func TestNoRegularFile(t *testing.T) {
	if _, err := Load("", t.TempDir()); err == nil {
		t.Error("a directory is read")
	}
	if _, err := CheckFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
