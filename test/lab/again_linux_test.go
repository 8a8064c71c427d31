package lab_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// A part of the testbed that fails in its first moments is tried again, and what it has said last is
// told when it never starts.
func TestAStartThatFailsIsTriedAgain(t *testing.T) {
	starts := func(script string) (int, error) {
		file := filepath.Join(t.TempDir(), "starts")
		return lab.Again(t.Context(), func() (int, error) {
			said, err := exec.Command("/bin/sh", "-c", "echo >>$0; n=$(wc -l <$0); echo start $n; "+script, file).CombinedOutput()
			if err != nil {
				return 0, fmt.Errorf("%w: %s", err, said)
			}
			return strings.Count(string(said), "start"), nil
		})
	}
	if n, err := starts("[ $n = 2 ]"); n != 1 || err != nil {
		t.Errorf("one that starts the second time: %d, %v", n, err)
	}
	if _, err := starts("exit 3"); err == nil || !strings.Contains(err.Error(), "exit status 3: start 3") {
		t.Errorf("one that never starts: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	tried := 0
	_, err := lab.Again(ctx, func() (int, error) {
		tried++
		cancel()
		return 0, context.Canceled
	})
	if tried != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("tried %d times after the end: %v", tried, err)
	}
}
