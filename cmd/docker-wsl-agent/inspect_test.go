package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDockerContext(t *testing.T) {
	home := t.TempDir()
	config := func(text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(home, ".docker"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, ".docker", "config.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	with := func(env map[string]string) string {
		env["HOME"] = home
		return dockerContext(func(name string) string { return env[name] })
	}
	if got := with(map[string]string{}); got != "" {
		t.Errorf("without a file: %q", got)
	}
	config(`{"auths":{},"currentContext":"other"}`)
	if got := with(map[string]string{}); got != "other" {
		t.Errorf("of the file: %q", got)
	}
	if got := with(map[string]string{"DOCKER_CONTEXT": "mine"}); got != "mine" {
		t.Errorf("of the environment: %q", got)
	}
	if got := with(map[string]string{"DOCKER_CONFIG": t.TempDir()}); got != "" {
		t.Errorf("of another directory: %q", got)
	}
	config("{")
	if got := with(map[string]string{}); got != "" {
		t.Errorf("of half a file: %q", got)
	}
}
