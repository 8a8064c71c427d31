package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// The test binary is the program, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "sweep" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// socketAt makes one that is served until the test's end, or that its killed owner has left.
func socketAt(t *testing.T, path string, served bool) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	t.Cleanup(func() { l.Close() })
	if !served {
		l.Close()
	}
}

// names are what is in a directory.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// Sockets that nobody serves go, beside the agent's file and where it is told; what is served, what is none and
// what it was not told of stays.
func TestSweep(t *testing.T) {
	bin, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	own, other := t.TempDir(), t.TempDir()
	agent := filepath.Join(own, "agent-0123456789abcdef")
	for _, file := range []string{agent, filepath.Join(own, "a.sock"), filepath.Join(other, "b.sock")} {
		if err := os.WriteFile(file, bin, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{own, other} {
		socketAt(t, filepath.Join(dir, "left"), false)
		socketAt(t, filepath.Join(dir, "live.sock"), true)
	}
	socketAt(t, filepath.Join(other, "untold.sock"), false)
	told := []string{"shared:/none/x.sock", filepath.Join(other, "none.sock"), filepath.Join(other, "none", "x.sock")}
	for _, name := range []string{"left", "live.sock", "b.sock"} {
		told = append(told, filepath.Join(other, name))
	}
	for range 2 {
		if out, err := exec.CommandContext(t.Context(), agent, append([]string{"sweep"}, told...)...).CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if got, want := names(t, own), []string{"a.sock", "agent-0123456789abcdef", "live.sock"}; !slices.Equal(got, want) {
		t.Errorf("beside the agent's file: %q, want %q", got, want)
	}
	if got, want := names(t, other), []string{"b.sock", "live.sock", "untold.sock"}; !slices.Equal(got, want) {
		t.Errorf("elsewhere: %q, want %q", got, want)
	}
	// By hand, as another file, it is told where.
	byHand := filepath.Join(other, "program")
	if err := os.WriteFile(byHand, bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), byHand, "sweep").CombinedOutput(); err != nil || !slices.Contains(names(t, other), "untold.sock") {
		t.Errorf("%v: %s; %q", err, out, names(t, other))
	}
}

// A socket that all distros saw goes with its directory, also when the socket itself is gone already.
func TestSweepOfTheSharedDirectory(t *testing.T) {
	lab.Need(t, lab.PartRoot)
	left := filepath.Join(t.TempDir(), "s.sock")
	socketAt(t, left, false)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const script = `set -e; mount -t tmpfs none /mnt; mkdir /mnt/wsl; mount -t tmpfs none /mnt/wsl; d=/mnt/wsl/docker-wsl-bridge
		mkdir $d; cp -a "$1" $d/s.sock; [ -S $d/s.sock ]; "$0" sweep shared:/docker-wsl-bridge/s.sock; [ ! -e $d ]
		mkdir $d; "$0" sweep shared:/docker-wsl-bridge/s.sock; [ ! -e $d ]
		mkdir $d; echo >$d/other; "$0" sweep shared:/docker-wsl-bridge/s.sock; [ -e $d/other ]`
	if out, err := exec.CommandContext(t.Context(), "unshare", "-m", "/bin/sh", "-xc", script, exe, left).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
