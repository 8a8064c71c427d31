package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// markdown is everything for the page.
func (t *table) markdown(plots []string) string {
	var b strings.Builder
	m := machine()
	fmt.Fprintf(&b, "\nMeasured on %s: %v CPUs (%v), %v MiB, Linux %v, %v, %v, %v, Go %v; %d rounds.\n",
		t.began.UTC().Format("2006-01-02"), m["cpus"], m["cpu"], m["memoryMiB"], m["kernel"], "Wine: "+fmt.Sprint(m["wine"]),
		m["dockerd"], "amd64", strings.TrimPrefix(fmt.Sprint(m["go"]), "go"), t.rounds)
	if t.cut != "" {
		fmt.Fprintf(&b, "Not all of it: %s.\n", t.cut)
	}
	for _, p := range plots {
		fmt.Fprintf(&b, "\n![%s](%s)\n", plotTitle(p), p)
	}
	t.markdownCells(&b)
	t.markdownGo(&b)
	t.markdownGoals(&b)
	return b.String()
}

func (t *table) markdownCells(b *strings.Builder) {
	b.WriteString("\n| | unit |")
	for _, c := range t.columns {
		name := c.name
		if c.wine {
			name += " (under Wine)"
		}
		fmt.Fprintf(b, " %s |", name)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(t.columns)) + "\n")
	for _, r := range t.rows {
		fmt.Fprintf(b, "| %s | %s |", r.title, r.unit)
		for _, c := range t.columns {
			said := t.at(r.name, c.name).text()
			if c.missing != "" {
				said = "not here"
			}
			fmt.Fprintf(b, " %s |", said)
		}
		b.WriteString("\n")
	}
	for _, c := range t.columns {
		if c.missing != "" {
			fmt.Fprintf(b, "\n`%s` was not measured: %s.\n", c.name, c.missing)
		}
	}
}

func sidesOf(r goRow) []string { return slices.Sorted(maps.Keys(r.sides)) }

func (t *table) markdownGo(b *strings.Builder) {
	if len(t.goRows) == 0 {
		return
	}
	b.WriteString("\n| Go benchmark | | time | memory | allocations |\n|---|---|---|---|---|\n")
	for _, r := range t.goRows {
		for _, side := range slices.Backward(sidesOf(r)) {
			ns, _ := t.goFigure(r.name, side, "ns/op")
			memory, _ := t.goFigure(r.name, side, "B/op")
			allocs, _ := t.goFigure(r.name, side, "allocs/op")
			fmt.Fprintf(b, "| %s | %s | %s ns |", r.name, side, number(ns))
			if each, ok := t.goFigure(r.name, side, "B/stream"); ok {
				fmt.Fprintf(b, " %s B a stream |", number(each))
			} else {
				fmt.Fprintf(b, " %s B |", number(memory))
			}
			fmt.Fprintf(b, " %g |\n", allocs)
		}
	}
}

func (t *table) markdownGoals(b *strings.Builder) {
	b.WriteString("\n| goal | of | reached | |\n|---|---|---|---|\n")
	for _, v := range t.verdicts {
		reached := v.Reached
		if !v.Known {
			reached = "not measured"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", v.Goal, v.Row, reached, v.word())
	}
}
