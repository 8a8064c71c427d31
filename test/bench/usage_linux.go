package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// family is a process and all that descend from it.
func family(pid int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		text, _ := os.ReadFile(file) // it may have ended
		_, rest, found := strings.Cut(string(text), ") ")
		if f := strings.Fields(rest); found && len(f) > 1 {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			parent, _ := strconv.Atoi(f[1])
			children[parent] = append(children[parent], child)
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// pss is the memory of a process with its share of what is shared, in bytes.
func pss(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "Pss: %d kB", &kb); n == 1 {
			return kb << 10, nil
		}
	}
	return 0, fmt.Errorf("read memory of process %d: no Pss", pid)
}

// pssOf sums up. A process without memory of its own is one that has just ended.
func pssOf(pids []int) (sum int64) {
	for _, pid := range pids {
		n, err := pss(pid)
		if err == nil {
			sum += n
		}
	}
	return sum
}

// cpu is the time that a process' threads have run, in seconds. Those that have
// ended are not in it: Go's stay.
func cpu(pid int) (seconds float64) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, file := range threads {
		text, _ := os.ReadFile(file) // it may have ended
		var ns int64
		if n, _ := fmt.Sscan(string(text), &ns); n == 1 {
			seconds += float64(ns) / 1e9
		}
	}
	return seconds
}

// wakeUps is how often a process' threads have run after a wait of their own. Two
// that wake each other count twice.
func wakeUps(pid int) (count int64) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, file := range threads {
		text, _ := os.ReadFile(file) // it may have ended
		for line := range strings.Lines(string(text)) {
			var n int64
			if got, _ := fmt.Sscanf(line, "voluntary_ctxt_switches: %d", &n); got == 1 {
				count += n
			}
		}
	}
	return count
}
