package wsl_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// What a test sees of a process from outside, without asking it.

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o666) }

// process finds the one process of a distro whose name or command line begins so.
func process(t *testing.T, distro, name string) int {
	t.Helper()
	var found []int
	until(t, "a process "+name, func() bool {
		found = nil
		for _, pid := range pids(t, distro) {
			if strings.HasPrefix(wsl.ProcessName(pid), name) {
				found = append(found, pid)
			}
		}
		return len(found) == 1
	})
	return found[0]
}

func pids(t *testing.T, distro string) []int {
	t.Helper()
	list, err := shared.vm.Pids(distro)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// until looks until it is so. The kernel has no event for most of these.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	if !comes(limit/3, so) {
		t.Fatalf("wait for %s: not within %v", what, limit/3)
	}
}

// soon is until with a short patience, and tells whether it came so.
func soon(so func() bool) bool { return comes(3*time.Second, so) }

func comes(within time.Duration, so func() bool) bool {
	for end := time.Now().Add(within); !so(); {
		if time.Now().After(end) {
			return false
		}
		unix.Nanosleep(&unix.Timespec{Nsec: 2e6}, nil)
	}
	return true
}

// stuck starts a program until it stands still as it should. Now and then, on a busy machine, the
// pipes before the relay do with a few KiB in each, and no end of waiting changes that.
func stuck(t *testing.T, s session, as func(pipes) bool) pipes {
	t.Helper()
	for range 5 {
		again := s
		again.cmd = exec.CommandContext(deadline(t), s.cmd.Path, s.cmd.Args[1:]...)
		again.cmd.Env, again.cmd.Dir = s.cmd.Env, s.cmd.Dir
		p := again.start(t)
		if as(p) {
			return p
		}
		p.cmd.Process.Kill()
		p.cmd.Wait()
		until(t, "an empty distro", func() bool { return len(pids(t, debian)) == 0 })
	}
	t.Fatal("it never stood still with a relay that waits to write")
	return pipes{}
}

// output is the one of that name.
func (p pipes) output(name string) *os.File {
	if name == "stderr" {
		return p.stderr
	}
	return p.stdout
}

// still waits until a figure has not changed for a while and returns it.
func still(t *testing.T, what string, figure func() int64) int64 {
	t.Helper()
	const while = 150 * time.Millisecond
	last, since := figure(), time.Now()
	until(t, what+" to stand still", func() bool {
		if now := figure(); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > while
	})
	return last
}

// unread is the number of bytes in the pipe that is a process' file fd.
func unread(t *testing.T, pid, fd int) int {
	t.Helper()
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/%d", pid, fd), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return pending(t, f)
}

// pending is the number of bytes in the pipe that f reads from.
func pending(t *testing.T, f *os.File) int {
	t.Helper()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	n, failed := 0, error(nil)
	err = raw.Control(func(fd uintptr) { n, failed = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	if err = errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	return n
}

// writes says whether a thread of a process sits in a write to its file fd.
func writes(pid, fd int) bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if strings.HasPrefix(string(text), fmt.Sprintf("%d %#x ", unix.SYS_WRITE, fd)) {
			return true
		}
	}
	return false
}

// written is how many bytes a process has written so far, to anything.
func written(pid int) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "wchar: "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return -1
}

// cpu is the processor time a process has used.
func cpu(pid int) time.Duration {
	f := stat(pid)
	if f == nil {
		return 0
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	user, _ := strconv.Atoi(f[13])
	system, _ := strconv.Atoi(f[14])
	return time.Duration(user+system) * tick
}

// stat are the fields of /proc/PID/stat, counted from 0.
func stat(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	return append([]string{strings.TrimSpace(string(text[:open])), string(text[open+1 : end])}, strings.Fields(string(text[end+1:]))...)
}

// alive is false for a zombie, too.
func alive(pid int) bool {
	f := stat(pid)
	return f != nil && f[2] != "Z" && f[2] != "X"
}
