package supervise

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// What a supervised command says, and how it ends, is in its own file.
func TestASupervisedServiceHasALog(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("LOCALAPPDATA", os.Getenv("XDG_STATE_HOME"))
	s := Command{argv: []string{"/bin/sh", "-c", "echo one; echo two >&2; printf '\\033[31mthree'; exit 3"}, Restart: RestartNever, started: func() {}}
	ends := s.toFile()
	err := s.keepRunning(t.Context())
	if err := errors.Join(ends.Close()); err != nil {
		t.Error(err)
	}
	var ended *ExitError
	if !errors.As(err, &ended) || ended.code != 3 {
		t.Errorf("ended with %v", err)
	}
	files, _ := os.ReadDir(os.Getenv("XDG_STATE_HOME") + "/docker-wsl-bridge/logs")
	if len(files) != 1 || !strings.HasPrefix(files[0].Name(), "supervise-") {
		t.Fatalf("logs %q", files)
	}
	text, err := os.ReadFile(os.Getenv("XDG_STATE_HOME") + "/docker-wsl-bridge/logs/" + files[0].Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`msg="command runs"`, "msg=output line=one\n", "msg=output line=two\n", "three"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	if strings.Contains(string(text), "\x1b") {
		t.Errorf("it has power over a terminal: %q", text)
	}
}
