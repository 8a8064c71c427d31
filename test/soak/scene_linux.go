package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settleTime is what the bridge and the engine get to let go of what has ended;
// an engine that takes no more costs a relay 5 s.
const settleTime = 20 * time.Second

// A scene is what is there at one moment: lists, by what they are of.
type scene map[string]string

const atEngine = "connections at the engine"

// look takes a scene of everything.
func (p *place) look() scene {
	s := scene{}
	conns, err := p.s.Docker.Conns()
	s[atEngine] = fmt.Sprint(conns, errText(err))
	for _, w := range p.wards {
		linux, err := w.linux()
		s["processes in "+w.name] = listed(linux) + errText(err)
		s["Windows programs of "+w.name] = listed(w.windows())
		files, err := w.files()
		s["files of ours in "+w.name] = strings.Join(files, ", ") + errText(err)
		s["sockets of ours in "+w.name] = w.sockets()
	}
	s["Windows programs, all"] = strconv.Itoa(len(p.s.Wine.Processes()))
	return s
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return " " + err.Error()
}

// listed writes processes without their numbers, in order. A relay has its
// child's in its name.
func listed(processes []string) string {
	var list []string
	for _, p := range processes {
		_, args, _ := strings.Cut(p, " ")
		if strings.HasPrefix(args, "Relay(") {
			args = "Relay"
		}
		list = append(list, args)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func (w *ward) files() (names []string, err error) {
	entries, err := os.ReadDir(w.s.VM.Path(w.name, runDir))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// sockets counts those with the name of ours: one listens, and each connection
// that was taken from it has the name, too.
func (w *ward) sockets() string {
	table, err := os.ReadFile("/proc/net/unix")
	count := 0
	for line := range strings.Lines(string(table)) {
		if strings.HasSuffix(strings.TrimSpace(line), " "+w.socket) {
			count++
		}
	}
	return fmt.Sprint(count, errText(err))
}

func (w *ward) agentFile() (string, error) {
	files, err := w.files()
	if err != nil {
		return "", err
	}
	for _, name := range files {
		if strings.HasPrefix(name, "agent-") {
			return name, nil
		}
	}
	return "", fmt.Errorf("find the agent's file of %s: there is %q", w.name, files)
}

// gone makes the scene one without the ward's bridge.
func (w *ward) gone(s scene, agentFile string) {
	s["processes in "+w.name] = ""
	s["Windows programs of "+w.name] = ""
	s["files of ours in "+w.name] = agentFile
	s["sockets of ours in "+w.name] = "0"
	all, _ := strconv.Atoi(s["Windows programs, all"])
	s["Windows programs, all"] = strconv.Itoa(all - 2) // the program and its wsl.exe
}

// awaitScene waits until all is as it should be. What is not is a leak, which is
// told once.
func (p *place) awaitScene(ctx context.Context, want scene) {
	var is scene
	var wrong []string
	_ = until(ctx, settleTime, "the scene", func() error {
		is = p.look()
		if wrong = p.wrong(is, want); len(wrong) > 0 {
			return fmt.Errorf("%q differ", wrong)
		}
		return nil
	})
	if ctx.Err() != nil {
		return
	}
	for _, what := range wrong {
		p.tally.leak(what, fmt.Sprintf("%q, want %q", is[what], want[what]))
		p.told[what] = is[what]
	}
}

// wrong names what is not as it should be, and was not told.
func (p *place) wrong(is, want scene) (list []string) {
	for _, what := range slices.Sorted(maps.Keys(want)) {
		if told, known := p.told[what]; is[what] != want[what] && !(known && is[what] == told) {
			list = append(list, what)
		}
	}
	return list
}
