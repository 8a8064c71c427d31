package main

import (
	"fmt"
	"os"
	"strings"
)

// usage is what a process uses.
type usage struct {
	memory int // kB, its share of what is shared included
	files  int // descriptors; under Wine most handles of files and pipes are some
}

func (u usage) String() string { return fmt.Sprintf("%d KiB and %d descriptors", u.memory, u.files) }

// What a process may have more at the end than after the warm-up. Go gives memory
// back late; what grows with the traffic is far more after some minutes.
const (
	moreMemory = 64 << 10 // kB
	moreFiles  = 50
)

func usageOf(pid int) (u usage, err error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return u, err
	}
	u.files = len(entries)
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return u, err
	}
	// The first line names the addresses, each other one a kind of memory.
	for line := range strings.Lines(string(text)) {
		if n, _ := fmt.Sscanf(line, "Pss: %d kB", &u.memory); n == 1 {
			return u, nil
		}
	}
	return u, fmt.Errorf("read memory of process %d: no Pss", pid)
}

// measure notes what both halves use, the first time as after the warm-up.
func (p *place) measure() {
	now := map[string]usage{}
	for _, w := range p.wards {
		pids := map[string]int{"program": w.b.Cmd.Process.Pid}
		if pid, err := w.agent(); err == nil {
			pids["agent"] = pid
		}
		for name, pid := range pids {
			if u, err := usageOf(pid); err == nil { // else it has just ended
				now[w.name+" "+name] = u
			}
		}
	}
	t := p.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.usage[0] == nil {
		t.usage[0] = now
	}
	t.usage[1] = now
}

// compare takes what has grown without bound for a leak.
func (t *tally) compare() {
	for name, end := range t.usage[1] {
		warm, known := t.usage[0][name]
		if known && (end.memory > 2*warm.memory+moreMemory || end.files > warm.files+moreFiles) {
			t.leak(name, fmt.Sprintf("%v at the end, %v after the warm-up", end, warm))
		}
	}
}
