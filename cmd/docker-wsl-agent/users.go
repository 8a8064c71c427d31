package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// otherUsers counts the programs that Windows has started in this distro and
// that still run, but for this one. Each has a process of WSL's init beside it
// that calls itself Relay(PID) (src/linux/init/init.cpp of microsoft/WSL); what
// systemd or a person's shell has started in the background has none.
func otherUsers() (int, error) {
	return countRelays("/proc", os.Getppid())
}

// countRelays counts those of a proc file system, but for the one with our
// number.
func countRelays(proc string, ours int) (int, error) {
	names, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "comm"))
	if err != nil {
		return 0, fmt.Errorf("count users: %w", err)
	}
	count := 0
	for _, name := range names {
		comm, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(comm), "Relay(") {
			continue // ended meanwhile, or something else
		}
		if filepath.Base(filepath.Dir(name)) != strconv.Itoa(ours) {
			count++
		}
	}
	return count, nil
}
