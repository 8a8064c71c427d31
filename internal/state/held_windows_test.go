package state

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// The test binary is the other program, too, which holds a file until its stdin ends.
func TestMain(m *testing.M) {
	if len(os.Args) != 3 || os.Args[1] != "hold" {
		os.Exit(m.Run())
	}
	time.AfterFunc(time.Minute, func() { os.Exit(99) })
	if _, err := os.Open(os.Args[2]); err != nil { // which does not share deletion
		os.Exit(1)
	}
	os.Stdout.WriteString("held\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// holder is another program that has a file open.
func holder(t *testing.T, path string) (release func()) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "hold", path)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	release = func() { stdin.Close(); _ = cmd.Wait() }
	t.Cleanup(release)
	if said, err := bufio.NewReader(stdout).ReadString('\n'); said != "held\n" {
		t.Fatalf("it said %q, %v", said, err)
	}
	return release
}

func written(t *testing.T) string {
	t.Helper()
	path := filepath.Join(own(t), "x.json")
	if err := Create(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A file that another program has open for a moment is removed and replaced after that moment.
func TestHeldFileIsTriedAgain(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"remove": Remove,
		"write":  func(path string) error { return Write(path, []byte("new"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			path := written(t)
			release := holder(t, path)
			if err := os.Rename(path, path+".0"); !errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
				t.Fatalf("the other program does not hold it: %v", err)
			}
			time.AfterFunc(100*time.Millisecond, release)
			if err := change(path); err != nil {
				t.Error(err)
			}
		})
	}
}

// One that stays open is an error within the bound, and is left as it was.
func TestHeldFileIsGivenUp(t *testing.T) {
	path := written(t)
	release := holder(t, path)
	if err := Write(path, []byte("new"), 0o600); err == nil {
		t.Error("it was written")
	}
	if b, err := Read(path, 10); string(b) != "old" {
		t.Errorf("%q, %v", b, err)
	}
	release()
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}
