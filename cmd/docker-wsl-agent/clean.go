package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
)

const (
	// leaveGrace is what an agent gets to remove its socket.
	leaveGrace = 2 * time.Second
	// goneStep is how often its end is looked for: a stranger's end is told to
	// nobody.
	goneStep = 10 * time.Millisecond
	// agentPrefix begins the name of an agent's file, where it was put into a distro.
	agentPrefix = "agent-"
)

// cleanUp ends the agent that is told by its number and its start, should it be
// there still, and removes those of its sockets that nobody serves any more.
func cleanUp(pid, started string, sockets []string) int {
	number, err1 := strconv.Atoi(pid)
	ticks, err2 := strconv.ParseUint(started, 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		fmt.Fprint(os.Stderr, usage)
		return exitUsage
	}
	err := endAgent(number, ticks)
	for _, socket := range sockets {
		err = errors.Join(err, removeSocket(socket))
	}
	if err != nil {
		return reportFailure(err)
	}
	return exitOK
}

// endAgent asks first, then kills. Whatever else has the number by now is left
// alone: what is signalled is the process that was looked at (a pidfd).
func endAgent(pid int, started uint64) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil // gone
	}
	defer p.Release()
	there := func() bool { return isAgent(pid, started) }
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if !there() {
			return nil
		}
		_ = p.Signal(signal) // it may have ended just now
		for end := time.Now().Add(leaveGrace); there() && time.Now().Before(end); {
			time.Sleep(goneStep)
		}
	}
	if there() {
		return fmt.Errorf("end agent: process %d is still there after it was killed", pid)
	}
	return nil
}

// isAgent tells whether a process is that agent: of that start, and with a file
// of our own directory.
func isAgent(pid int, started uint64) bool {
	if ticks, err := startOf(pid); err != nil || ticks != started {
		return false
	}
	its, err1 := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	own, err2 := os.Readlink("/proc/self/exe")
	return err1 == nil && err2 == nil && filepath.Dir(its) == filepath.Dir(own) &&
		strings.HasPrefix(filepath.Base(its), agentPrefix)
}

// startOf is when a process that has not ended was started, in ticks since boot:
// field 22 of proc_pid_stat(5). The name before it may hold blanks and brackets.
func startOf(pid int) (uint64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 || string(fields[0]) == "Z" {
		return 0, fs.ErrNotExist
	}
	return strconv.ParseUint(string(fields[19]), 10, 64)
}

// sweepSockets removes the sockets that nobody serves any more: those beside this file, if it lies where agents do and all
// are ours, and the named ones. What has become something else is left alone.
func sweepSockets(sockets []string) int {
	own, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return reportFailure(err)
	}
	if dir := filepath.Dir(own); strings.HasPrefix(filepath.Base(own), agentPrefix) {
		var beside []os.DirEntry
		beside, err = os.ReadDir(dir)
		for _, e := range beside {
			sockets = append(sockets, filepath.Join(dir, e.Name()))
		}
	}
	for _, socket := range sockets {
		if !isOther(socket) {
			err = errors.Join(err, removeSocket(socket))
		}
	}
	if err != nil {
		return reportFailure(err)
	}
	return exitOK
}

// isOther tells that a socket's path has something else, or that this distro has no such place.
func isOther(socket string) bool {
	path, _, err := socketPath(socket)
	if err != nil {
		return errors.Is(err, paths.ErrNoShared)
	}
	info, err := os.Lstat(path)
	return err == nil && info.Mode().Type() != fs.ModeSocket
}

func removeSocket(socket string) error {
	path, shared, err := socketPath(socket)
	if err != nil {
		return err
	}
	err = endpoint.RemoveStale(path)
	var inUse *endpoint.InUseError
	if errors.As(err, &inUse) {
		return nil // somebody serves it: it is not ours any more
	}
	if shared && err == nil {
		removeDir(path)
	}
	return err
}
