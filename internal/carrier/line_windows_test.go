package carrier

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// line is this binary in a role. Roles come by the environment, which a program of RunLine
// has from us.
func line(t *testing.T, role, rest string) string {
	t.Helper()
	t.Setenv(roleEnv, role)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return `"` + exe + `"` + rest
}

func TestRunLinePassesItOnAsItIs(t *testing.T) {
	file := newFile(t)
	text := line(t, "tell-line", `  a\\"b c"  d\"  é "" `)
	t.Setenv("CARRIER_TEST_FILE", file)
	code, err := RunLine(t.Context(), text, func() {})
	if err != nil || code != 0xC0000005 {
		t.Errorf("exit code %#x, %v", code, err)
	}
	if said, _ := os.ReadFile(file); string(said) != text {
		t.Errorf("the program's command line is\n%q, want\n%q", said, text)
	}
}

func TestRunLineEndsWithItsContext(t *testing.T) {
	file := newFile(t)
	text := line(t, "line-parent", "")
	t.Setenv("CARRIER_TEST_FILE", file)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started, ended := make(chan bool, 1), make(chan error, 1)
	go func() {
		code, err := RunLine(ctx, text, func() { started <- true })
		if code != 0 {
			err = fmt.Errorf("exit code %d, %w", code, err)
		}
		ended <- err
	}()
	within(t, "start", started)
	child := pidIn(t, file)
	cancel()
	if err := within(t, "end", ended); err != nil {
		t.Error(err)
	}
	waitGone(t, child)
}

func TestRunLineSaysWhatWindowsSays(t *testing.T) {
	started := false
	_, err := RunLine(t.Context(), "no-such-program-anywhere.exe", func() { started = true })
	if !errors.Is(err, windows.ERROR_FILE_NOT_FOUND) || started {
		t.Errorf("started %v, error %v", started, err)
	}
}

// newFile is a file's name. testing's own directories can't be removed under Wine 8 once there
// is a file in them: RemoveAll asks for a way to delete that it does not know.
func newFile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "carrier")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "said")
	t.Cleanup(func() {
		os.Remove(file)
		os.Remove(dir)
	})
	return file
}

// pidIn is the number that a program writes into file, in one piece.
func pidIn(t *testing.T, file string) int {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		said, _ := os.ReadFile(file)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(said))); err == nil {
			return pid
		}
	}
	t.Fatalf("nothing in %s", file)
	return 0
}

func playHere(role string) int {
	file := os.Getenv("CARRIER_TEST_FILE")
	switch role {
	case "tell-line":
		if os.WriteFile(file, []byte(windows.UTF16PtrToString(windows.GetCommandLine())), 0o600) != nil {
			return 1
		}
		exit := uint32(0xC0000005)
		return int(exit)
	case "line-parent":
		os.Setenv(roleEnv, "hold")
		exe, _ := os.Executable()
		child := exec.Command(exe)
		if child.Start() != nil || os.WriteFile(file, []byte(fmt.Sprintln(child.Process.Pid)), 0o600) != nil {
			return 1
		}
		child.Wait()
		return 7
	}
	return 98
}
