package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// number writes a figure with three digits.
func number(x float64) string {
	switch {
	case math.IsNaN(x):
		return "-"
	case math.Abs(x) >= 100:
		return fmt.Sprintf("%.0f", x)
	case math.Abs(x) >= 10:
		return fmt.Sprintf("%.1f", x)
	case math.Abs(x) >= 1:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.3f", x)
}

// text is a cell in a table: figures, or what went wrong.
func (m *measure) text() string {
	if m == nil {
		return ""
	}
	if !m.sound() {
		return m.flaw()
	}
	said := number(m.p50())
	switch {
	case len(m.samples) >= 20:
		said += " / " + number(m.p99())
	case len(m.samples) > 1 && m.row.more:
		said += " (" + number(m.p99()) + ")"
	}
	if host, ok := m.extraOf("hostCPU"); ok {
		agent, _ := m.extraOf("agentCPU")
		said += fmt.Sprintf("; %.2g + %.2g s/GB", host, agent)
	}
	if both, ok := m.extraOf("halves"); ok {
		said += fmt.Sprintf("; halves %s", number(both))
	}
	if n, ok := m.extraOf("processes"); ok {
		said += fmt.Sprintf("; %.0f processes", n)
	}
	if host, ok := m.extraOf("hostWakeUps"); ok {
		agent, _ := m.extraOf("agentWakeUps")
		said += fmt.Sprintf("; wake-ups in 10 s: %.2g + %.2g", host, agent)
	}
	if m.errors > 0 {
		said += "; " + m.flaw()
	}
	return said
}

// print writes everything for a terminal.
func (t *table) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprint(w, "\nrow")
	for _, c := range t.columns {
		fmt.Fprintf(w, "\t%s", c.name)
	}
	fmt.Fprintln(w)
	for _, r := range t.rows {
		fmt.Fprintf(w, "%s [%s]", r.name, r.unit)
		for _, c := range t.columns {
			said := t.at(r.name, c.name).text()
			if c.missing != "" {
				said = "not here"
			}
			fmt.Fprintf(w, "\t%s", said)
		}
		fmt.Fprintln(w)
	}
	for _, r := range t.goRows {
		fmt.Fprintf(w, "%s", r.name)
		for _, side := range sidesOf(r) {
			ns, _ := t.goFigure(r.name, side, "ns/op")
			allocs, _ := t.goFigure(r.name, side, "allocs/op")
			fmt.Fprintf(w, "\t%s: %s ns, %g allocs", side, number(ns), allocs)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
	for _, v := range t.verdicts {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", v.word(), v.Row, v.Goal, v.Reached)
	}
	for _, r := range t.rows {
		for _, c := range t.columns {
			if m := t.at(r.name, c.name); m != nil && m.flaw() != "" {
				fmt.Fprintf(w, "flaw\t%s\t%s\t%s: %q\n", r.name, c.name, m.flaw(), m.why)
			}
		}
	}
	return w.Flush()
}

func (v verdict) word() string {
	switch {
	case !v.Known:
		return "unknown"
	case v.Met:
		return "met"
	}
	return "MISSED"
}

// machine tells what everything ran on.
func machine() map[string]any {
	m := map[string]any{"cpus": runtime.NumCPU(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m["kernel"] = strings.TrimSpace(string(text))
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
				m["cpu"] = strings.TrimSpace(value)
			}
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kb int
		if n, _ := fmt.Sscanf(string(text), "MemTotal: %d kB", &kb); n == 1 {
			m["memoryMiB"] = kb >> 10
		}
	}
	for name, argv := range map[string][]string{"wine": {"wine64", "--version"}, "dockerd": {"dockerd", "--version"}} {
		if argv[0] == "wine64" {
			if _, err := os.Stat("/usr/lib/wine/wine64"); err == nil {
				argv[0] = "/usr/lib/wine/wine64"
			}
		}
		if said, err := exec.Command(argv[0], argv[1:]...).Output(); err == nil {
			m[name] = strings.TrimSpace(string(said))
		}
	}
	return m
}

// jsonCell is a cell in the file of figures.
func (m *measure) jsonCell(c *column) map[string]any {
	j := map[string]any{"unit": m.row.unit, "samples": len(m.samples), "rounds": m.rounds, "underWine": c.wine}
	if m.sound() {
		j["p50"], j["p99"] = m.p50(), m.p99()
	}
	for name := range m.extra {
		j[name], _ = m.extraOf(name)
	}
	if flaw := m.flaw(); flaw != "" {
		j["flaw"], j["why"] = flaw, m.why
		j["errors"], j["asked"], j["failedRounds"], j["lostBytes"] = m.errors, m.asked, m.failed, m.lost
	}
	return j
}

// write writes the files.
func (t *table) write(o options) error {
	rows := map[string]any{}
	for _, r := range t.rows {
		cells := map[string]any{}
		for _, c := range t.columns {
			if m := t.at(r.name, c.name); m != nil {
				cells[c.name] = m.jsonCell(c)
			}
		}
		rows[r.name] = cells
	}
	for _, r := range t.goRows {
		cells := map[string]any{}
		for side, units := range r.sides {
			cell := map[string]any{"unit": "ns"}
			for unit, list := range units {
				cell[unit] = percentile(list, 0.5)
			}
			cell["p50"], cell["p99"] = cell["ns/op"], percentile(units["ns/op"], 0.99)
			cells[side] = cell
		}
		rows["go "+r.name] = cells
	}
	columns := map[string]any{}
	for _, c := range t.columns {
		columns[c.name] = map[string]any{"title": c.title, "underWine": c.wine, "missing": c.missing}
	}
	text, err := json.MarshalIndent(map[string]any{
		"machine": machine(), "measured": t.began.UTC().Format(time.RFC3339), "rounds": t.rounds, "cut": t.cut,
		"columns": columns, "rows": rows, "goals": t.verdicts,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	if o.json != "" {
		err = errors.Join(os.MkdirAll(filepath.Dir(o.json), 0o755), os.WriteFile(o.json, append(text, '\n'), 0o644))
	}
	if err != nil || o.docs == "" {
		return err
	}
	return t.writeDocs(o.docs)
}

// The markers between which the page is ours.
const (
	markBegin = "<!-- bench: begin -->\n"
	markEnd   = "<!-- bench: end -->\n"
)

// writeDocs puts table, goals and plots into a page, and leaves its prose.
func (t *table) writeDocs(page string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	before, rest, found := bytes.Cut(text, []byte(markBegin))
	_, after, closed := bytes.Cut(rest, []byte(markEnd))
	if !found || !closed {
		return fmt.Errorf("write page: %s has no markers", page)
	}
	plots, err := t.writePlots(strings.TrimSuffix(page, ".md"))
	if err != nil {
		return err
	}
	middle := markBegin + t.markdown(plots) + markEnd
	return os.WriteFile(page, []byte(string(before)+middle+string(after)), 0o644)
}
