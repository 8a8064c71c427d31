package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An engine that takes the machine's place comes first, wherever one of its programs is looked for. What it has not is the machine's.
func TestEngineDirComesFirst(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DWB_ENGINE_DIR", dir)
	machine, err := program("sh")
	if err != nil || filepath.Dir(machine) == dir {
		t.Fatalf("%s, %v", machine, err)
	}
	mine := filepath.Join(dir, "sh")
	if err := os.WriteFile(mine, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"sh": mine, machine: machine} {
		if got, err := program(name); got != want || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if !strings.HasPrefix(enginePath(), dir+":") {
		t.Errorf("dockerd looks in %s", enginePath())
	}
}
