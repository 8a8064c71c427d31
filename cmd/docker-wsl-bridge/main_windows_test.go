package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// program is the one under test, as users have it: a service is a program of its own.
var program = flag.String("program", "", "docker-wsl-bridge.exe")

// noStories tells whether it is the program's turn. The stories' temporary directory can't be
// removed under Wine 8, see files.
func noStories(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "-program=") })
}

// patience is what nothing here should need; beyond it a test reports a hang.
const patience = 30 * time.Second

// play is what the program's child does, as a role of this binary.
func play(role string, args []string) int {
	time.AfterFunc(2*time.Minute, func() { os.Exit(99) }) // whatever goes wrong
	switch role {
	case "exit":
		code, _ := strconv.ParseUint(args[0], 0, 32)
		return int(code)
	case "hold":
		leave(args[0], fmt.Sprintln(os.Getpid())+windows.UTF16PtrToString(windows.GetCommandLine()))
		select {}
	case "family":
		exe, _ := os.Executable()
		child := exec.Command(exe, "play", "hold", args[0])
		if child.Start() != nil {
			return 97
		}
		child.Wait()
	case "polite":
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, os.Interrupt)
		leave(args[0], fmt.Sprintln(os.Getpid()))
		<-asked
		leave(args[1], "bye")
	case "second-time":
		if os.Mkdir(args[0], 0o700) == nil {
			return 3
		}
		return play("polite", args[1:])
	}
	return 0
}

// leave writes a file in one piece.
func leave(file, text string) {
	if os.WriteFile(file+".new", []byte(text), 0o600) != nil || os.Rename(file+".new", file) != nil {
		os.Exit(98)
	}
}

// child is the command line of this binary in a role, as a person writes it.
func child(t *testing.T, role string, args ...string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return `"` + exe + `"  play ` + role + " " + strings.Join(args, " ")
}

// tempFiles is a directory whose contents the test removes. testing's own can't be removed under
// Wine 8: RemoveAll asks for a way to delete that it does not know.
func tempFiles(t *testing.T) (file func(string) string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "dwb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		list, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, f := range append(list, dir) {
			os.Remove(f)
		}
	})
	return func(name string) string { return filepath.Join(dir, name) }
}

// becomes waits for what a process does in its own time.
func becomes(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// left waits for a file that a child leaves, and gives its first line and the rest.
func left(t *testing.T, file string) (first, rest string) {
	t.Helper()
	var text []byte
	becomes(t, "a file of the child", func() (ok bool) {
		var err error
		text, err = os.ReadFile(file)
		return err == nil
	})
	first, rest, _ = strings.Cut(string(text), "\n")
	return strings.TrimSpace(first), rest
}

// process is one that a child has told of.
func process(t *testing.T, file string) (pid uint32, line string) {
	t.Helper()
	first, rest := left(t, file)
	n, err := strconv.ParseUint(first, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n), rest
}

// waitGone waits for the end of a process that need not be our child.
func waitGone(t *testing.T, pid uint32) {
	t.Helper()
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, pid)
	if err != nil {
		return // gone already
	}
	defer windows.CloseHandle(h)
	if ev, _ := windows.WaitForSingleObject(h, uint32(patience.Milliseconds())); ev != windows.WAIT_OBJECT_0 {
		t.Fatalf("process %d is still there", pid)
	}
}
