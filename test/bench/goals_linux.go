package main

import (
	"fmt"
	"strings"
)

// A verdict is a goal and what was reached.
type verdict struct {
	Row     string `json:"row"`
	Goal    string `json:"goal"`
	Reached string `json:"reached"`
	Met     bool   `json:"met"`
	Known   bool   `json:"known"` // false: a cell that it needs is not there
}

// judged compares everything with the goals.
func judged(t *table) (all []verdict) {
	all = append(all, latencyGoals(t)...)
	all = append(all, loadGoals(t)...)
	all = append(all, bulkGoals(t)...)
	all = append(all, restGoals(t)...)
	all = append(all, nativeGoals(t)...)
	return append(all, muxGoals(t)...)
}

// figure is a sound cell's median.
func (t *table) figure(row, column string) (float64, bool) {
	m := t.at(row, column)
	if !m.sound() {
		return 0, false
	}
	return m.p50(), true
}

// ratio compares a figure with another one of its row. unsound is what holds when
// the other column's cell was measured and is none: a path that loses is behind.
func ratio(t *table, row, column, other, goal string, met func(float64) bool) verdict {
	v := verdict{Row: row, Goal: goal}
	mine, ok := t.figure(row, column)
	theirs, has := t.figure(row, other)
	switch {
	case !ok && t.at(row, column) != nil:
		v.Known, v.Reached = true, column+" has no figure: "+t.at(row, column).flaw()
	case ok && !has && t.at(row, other) != nil:
		v.Known, v.Met, v.Reached = true, true, other+" has no figure: "+t.at(row, other).flaw()
	case ok && has:
		v.Known, v.Met = true, met(mine/theirs)
		v.Reached = fmt.Sprintf("%.3g x (%s to %s)", mine/theirs, number(mine), number(theirs))
	}
	return v
}

func most(limit float64) func(float64) bool  { return func(x float64) bool { return x <= limit } }
func least(limit float64) func(float64) bool { return func(x float64) bool { return x >= limit } }

func latencyGoals(t *table) []verdict {
	return []verdict{
		ratio(t, rowNew, nameBridge, nameWindows, "<= 1.15 x windows", most(1.15)),
		ratio(t, rowNew, nameBridge, nameOriginal, "30 x faster than original", most(1.0/30)),
		ratio(t, rowNew, nameBridge, nameNpiperelay, "15 x faster than npiperelay", most(1.0/15)),
		ratio(t, rowKept, nameBridge, nameWindows, "<= 1.10 x windows", most(1.10)),
		ratio(t, rowKept, nameBridge, nameNpiperelay, "no slower than npiperelay", most(1)),
	}
}

func loadGoals(t *table) []verdict {
	errors := verdict{Row: rowWorkers, Goal: "0 errors"}
	if m := t.at(rowWorkers, nameBridge); m != nil {
		errors.Known, errors.Met = true, m.errors == 0 && m.failed == 0
		errors.Reached = fmt.Sprintf("%d of %d", m.errors, m.asked)
	}
	list := []verdict{errors, ratio(t, rowWorkers, nameBridge, nameWindows, ">= 0.9 x windows", least(0.9))}
	for _, row := range []string{rowBeside1, rowBeside8} {
		v := verdict{Row: row, Goal: "p99 <= original's"}
		mine, theirs := t.at(row, nameBridge), t.at(row, nameOriginal)
		if mine.sound() && theirs != nil {
			v.Known, v.Met = true, !theirs.sound() || mine.p99() <= theirs.p99()
			v.Reached = fmt.Sprintf("%s ms to %s ms", number(mine.p99()), number(theirs.p99()))
		}
		list = append(list, v)
	}
	return list
}

func bulkGoals(t *table) (list []verdict) {
	for _, row := range []string{rowDown, rowUp} {
		list = append(list,
			ratio(t, row, namePlain, nameWindows, "bridge-plain >= 0.95 x windows", least(0.95)),
			ratio(t, row, namePlain, nameOriginal, "bridge-plain ahead of original", least(1)),
			ratio(t, row, namePlain, nameNpiperelay, "bridge-plain ahead of npiperelay", least(1)),
			ceiling(t, row, "relay-"+row))
	}
	return list
}

// ceiling compares the bridge with what its relay moves by itself.
func ceiling(t *table, row, relay string) verdict {
	v := verdict{Row: row, Goal: ">= 0.9 x the relay alone"}
	mine, ok := t.figure(row, nameBridge)
	most, has := t.figure(relay, nameBridge)
	if ok && has {
		v.Known, v.Met = true, mine >= 0.9*most
		v.Reached = fmt.Sprintf("%.3g x (%s to %s)", mine/most, number(mine), number(most))
	}
	return v
}

func restGoals(t *table) (list []verdict) {
	for row, limit := range map[string]float64{rowIdle2000: 96, rowIdle50: 40} {
		v := verdict{Row: row, Goal: fmt.Sprintf("<= %.0f MiB both halves", limit)}
		if m := t.at(row, nameBridge); m.sound() && m.errors == 0 {
			both, _ := m.extraOf("halves")
			v.Known, v.Met, v.Reached = true, both <= limit, fmt.Sprintf("%s MiB", number(both))
		}
		list = append(list, v)
	}
	v := verdict{Row: rowIdle, Goal: "<= 1 wake-up in 10 s a half, 0.0 % CPU"}
	if m := t.at(rowIdle, nameNative); m.sound() {
		host, _ := m.extraOf("hostWakeUps")
		agent, _ := m.extraOf("agentWakeUps")
		v.Known, v.Met = true, host <= 1 && agent <= 1 && m.p50() < 0.05
		v.Reached = fmt.Sprintf("host %.2g, agent %.2g in 10 s, %.2g %%", host, agent, m.p50())
	}
	return append(list, v)
}

func nativeGoals(t *table) []verdict {
	added := verdict{Row: rowKept, Goal: "native adds <= 0.04 ms"}
	mine, ok := t.figure(rowKept, nameNative)
	base, has := t.figure(rowKept, nameDirect)
	if ok && has {
		added.Known, added.Met = true, mine-base <= 0.04
		added.Reached = fmt.Sprintf("%.3f ms", mine-base)
	}
	allocs := verdict{Row: goRelay, Goal: "0 allocations per relayed chunk"}
	if n, ok := t.goFigure("RelayBulk/write=32KiB", "bridge", "allocs/op"); ok {
		allocs.Known, allocs.Met, allocs.Reached = true, n == 0, fmt.Sprintf("%g", n)
	}
	return []verdict{
		ratio(t, rowDown, nameNative, nameDirect, "native >= 0.5 x direct", least(0.5)),
		ratio(t, rowUp, nameNative, nameDirect, "native >= 0.5 x direct", least(0.5)),
		added, allocs,
	}
}

// muxGoals wants no benchmark slower than go-yamux's, and a small stream beside bulk
// ones to wait a quarter as long.
func muxGoals(t *table) (list []verdict) {
	for _, r := range t.goRows {
		if strings.HasPrefix(r.name, "Relay") {
			continue
		}
		ours, ok := t.goFigure(r.name, "ours", "ns/op")
		theirs, has := t.goFigure(r.name, "go-yamux", "ns/op")
		if !ok || !has {
			continue
		}
		limit, goal := 1.0, "no slower than go-yamux"
		if r.name == "BesideBulk" {
			limit, goal = 0.25, "<= 1/4 of go-yamux"
		}
		list = append(list, verdict{
			Row: "mux " + r.name, Goal: goal, Known: true, Met: ours <= limit*theirs,
			Reached: fmt.Sprintf("%.2g x (%s to %s ns)", ours/theirs, number(ours), number(theirs)),
		})
	}
	return list
}
