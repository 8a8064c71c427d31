package wsl

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Pids lists every living process of a running distro but its init, by the
// numbers they have outside. A zombie does not count: a process of Command whose
// command was killed waits for process 1 of the machine, which may take its time.
func (vm *VM) Pids(distro string) ([]int, error) {
	text, err := os.ReadFile(vm.pidFile(distro))
	if err != nil {
		return nil, fmt.Errorf("list processes of %s: %w", distro, err)
	}
	init := string(text)
	space, err := os.Readlink(filepath.Join("/proc", init, "ns/pid"))
	if err != nil {
		return nil, fmt.Errorf("list processes of %s: %w", distro, err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || e.Name() == init {
			continue
		}
		link, err := os.Readlink(filepath.Join("/proc", e.Name(), "ns/pid"))
		if err == nil && link == space && !isZombie(pid) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// isZombie looks at the state, which follows the name in its parentheses.
func isZombie(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return true
	}
	i := bytes.LastIndex(text, []byte(") "))
	return i < 0 || text[i+2] == 'Z' || text[i+2] == 'X'
}

// ProcessName tells what a process is, for a message: its command line, or its
// short name where it has none. It is empty for a process that is gone.
func ProcessName(pid int) string {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	name, _ := os.ReadFile(filepath.Join(dir, "comm"))
	text := strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
	if short := strings.TrimSpace(string(name)); text == "" || strings.HasPrefix(short, "Relay(") {
		return short
	}
	return text
}
