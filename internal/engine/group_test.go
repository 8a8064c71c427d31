package engine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestConfiguredGroup(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		`{"group": "docker-users", "hosts": ["npipe://"]}`: "docker-users",
		`{"hosts": []}`:           "",
		"{\"group\":\"a\x1b\"}":   "",
		`{"group": 1}`:            "",
		"\ufeff{}":                "",
		`{"group": "d\u001b[2J"}`: "d\ufffd[2J",
	} {
		file := filepath.Join(dir, "daemon.json")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := ConfiguredGroup(file); got != want || (err == nil) != (want != "" || text == `{"hosts": []}`) {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
	if got, err := ConfiguredGroup(filepath.Join(dir, "none")); got != "" || err != nil {
		t.Errorf("no file: %q, %v", got, err)
	}
}
