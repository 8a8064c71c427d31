package main

import (
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// A plot draws some rows: for each a group of bars, one for each column.
type plot struct {
	file, title, unit string
	rows              []string
}

var plots = []plot{
	{"latency.svg", "/_ping, median, less is better", "ms", []string{rowNew, rowKept, rowBeside1, rowBeside8}},
	{"workers.svg", "answers in a second, more is better", "/s", []string{"workers-32", rowWorkers}},
	{"bulk.svg", "bytes, more is better", "MB/s", []string{rowDown, rowUp, rowBoth, "cp"}},
	{"memory.svg", "memory of everything on the path, less is better", "MiB", []string{rowIdle50, "idle-500", rowIdle2000}},
	{"whole.svg", "whole commands, less is better", "ms", []string{"run", "burst", "start-up"}},
}

func plotTitle(file string) string {
	for _, p := range plots {
		if p.file == filepath.Base(file) {
			return p.title + " (" + p.unit + ")"
		}
	}
	return file
}

// writePlots writes them into a directory beside the page, and gives their names
// as the page knows them.
func (t *table) writePlots(dir string) (names []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("write plots: %w", err)
	}
	for _, p := range plots {
		if svg := t.draw(p); svg != "" {
			if err := os.WriteFile(filepath.Join(dir, p.file), []byte(svg), 0o644); err != nil {
				return nil, fmt.Errorf("write plots: %w", err)
			}
			names = append(names, filepath.Base(dir)+"/"+p.file)
		}
	}
	return names, nil
}

// A bar is one cell.
type bar struct {
	column string
	figure float64
	flaw   string
}

// orders is how far figures of one plot may be apart until its scale is logarithmic.
const orders = 20

const (
	barHeight = 18
	labelWide = 120
	plotWide  = 520
	noteWide  = 240
)

// draw is the plot, or "" when none of its rows was measured.
func (t *table) draw(p plot) string {
	var groups [][]bar
	var titles []string
	low, high, count := math.Inf(1), 0.0, 0
	for _, r := range t.rows {
		for _, name := range p.rows {
			if name != r.name {
				continue
			}
			bars := t.bars(r)
			groups, titles = append(groups, bars), append(titles, r.title)
			count += len(bars)
			for _, b := range bars {
				if b.flaw == "" {
					low, high = min(low, b.figure), max(high, b.figure)
				}
			}
		}
	}
	if high == 0 {
		return ""
	}
	length := func(x float64) float64 { return x / high * plotWide }
	scale := "linear scale"
	if high/low > orders {
		base := math.Pow(10, math.Floor(math.Log10(low)))
		length = func(x float64) float64 { return math.Log10(x/base) / math.Log10(high/base) * plotWide }
		scale = fmt.Sprintf("logarithmic scale, from %g %s", base, p.unit)
	}
	return drawn(p, scale, groups, titles, count, length)
}

func (t *table) bars(r *row) (list []bar) {
	for _, c := range t.columns {
		m := t.at(r.name, c.name)
		switch {
		case m == nil:
		case m.sound():
			list = append(list, bar{c.name, m.p50(), ""})
		default:
			list = append(list, bar{c.name, 0, m.flaw()})
		}
	}
	return list
}

func drawn(p plot, scale string, groups [][]bar, titles []string, count int, length func(float64) float64) string {
	var b strings.Builder
	wide := labelWide + plotWide + noteWide
	high := 50 + count*barHeight + len(groups)*34
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", wide, high, wide, high)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", wide, high)
	fmt.Fprintf(&b, `<text x="10" y="20" font-size="14" font-weight="bold">%s (%s)</text>`+"\n", html.EscapeString(p.title), p.unit)
	fmt.Fprintf(&b, `<text x="10" y="36" fill="#666">%s</text>`+"\n", scale)
	y := 56
	for i, bars := range groups {
		fmt.Fprintf(&b, `<text x="10" y="%d" font-weight="bold">%s</text>`+"\n", y, html.EscapeString(strings.ReplaceAll(titles[i], "`", "")))
		y += 8
		for _, one := range bars {
			note := number(one.figure)
			long := 0.0
			if one.flaw != "" {
				note = one.flaw
			} else {
				long = max(1, length(one.figure))
			}
			fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, labelWide-8, y+12, one.column)
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`, labelWide, y+2, long, barHeight-5, colour(one.column))
			fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s</text>`+"\n", float64(labelWide)+long+6, y+12, html.EscapeString(note))
			y += barHeight
		}
		y += 26
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// colour sets ours apart from what is without a bridge, and from the others.
func colour(column string) string {
	switch column {
	case nameBridge, namePlain, nameNative:
		return "#2b6cb0"
	case nameDirect, nameWindows:
		return "#718096"
	}
	return "#c05621"
}
