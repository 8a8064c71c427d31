package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCountRelays(t *testing.T) {
	proc := t.TempDir()
	for pid, comm := range map[string]string{
		"1": "init(Debian)", "7": "SessionLeader", "8": "Relay(9)", "9": "docker-wsl-agen",
		"20": "SessionLeader", "21": "Relay(22)", "22": "bash", "40": "Relay(41)", "self": "Relay(1)", "50": "aRelay(1)",
	} {
		if err := os.MkdirAll(filepath.Join(proc, pid), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(proc, pid, "comm"), []byte(comm+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := countRelays(proc, 8); n != 2 || err != nil {
		t.Errorf("%d, %v; want those of 22 and 41", n, err)
	}
	if n, err := countRelays(t.TempDir(), 8); n != 0 || err != nil {
		t.Errorf("nobody is %d, %v", n, err)
	}
}
