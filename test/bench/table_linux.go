package main

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/bench/load"
)

// A measure is all that was measured of one cell.
type measure struct {
	row     *row
	samples []float64
	extra   map[string][]float64
	rounds  int
	failed  int   // rounds that gave no figure
	errors  int   // requests that were not answered well
	asked   int   // all requests
	lost    int64 // bytes that did not come
	why     string
}

func (m *measure) begin() { m.rounds++ }

func (m *measure) add(samples ...float64) { m.samples = append(m.samples, samples...) }

// also notes another figure of the same round.
func (m *measure) also(name string, figure float64) { m.extra[name] = append(m.extra[name], figure) }

func (m *measure) fails(err error) {
	m.failed++
	if m.why == "" {
		m.why = err.Error()
	}
}

// counts takes over what a client has seen go wrong.
func (m *measure) counts(r load.Result) {
	m.errors += r.Errors
	m.asked += r.Count + r.Errors
	m.lost += r.Lost
	if m.why == "" {
		m.why = r.Error
	}
}

// p50 is the median of all samples.
func (m *measure) p50() float64 { return percentile(m.samples, 0.5) }

// p99 is what 99 of 100 samples are no worse than.
func (m *measure) p99() float64 {
	if m.row.more {
		return percentile(m.samples, 0.01)
	}
	return percentile(m.samples, 0.99)
}

// extraOf is the median of another figure.
func (m *measure) extraOf(name string) (float64, bool) {
	list, known := m.extra[name]
	return percentile(list, 0.5), known
}

// sound tells that there is a figure and nothing was lost: a path that loses bytes
// has no speed. Requests that failed are counted beside one.
func (m *measure) sound() bool {
	return m != nil && len(m.samples) > 0 && m.failed == 0 && m.lost == 0
}

// percentile takes the nearest of the samples; of none it is not a number.
func percentile(samples []float64, p float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(samples))
	i := int(math.Ceil(p*float64(len(sorted)))) - 1
	return sorted[max(0, i)]
}

// A table holds what a run has measured.
type table struct {
	rows     []*row
	columns  []*column
	rounds   int
	limit    time.Duration
	cells    map[string]map[string]*measure // by row and column
	cut      string                         // why there are fewer rounds
	goNames  []string                       // the Go benchmarks that were asked for
	goRows   []goRow
	verdicts []verdict
	began    time.Time
}

func newTable(o options) *table {
	return &table{rounds: o.rounds, limit: o.limit, cells: map[string]map[string]*measure{}, began: time.Now()}
}

// cell is the cell of a row and a column, made when it is not there.
func (t *table) cell(r *row, c *column) *measure {
	if t.cells[r.name] == nil {
		t.cells[r.name] = map[string]*measure{}
	}
	m := t.cells[r.name][c.name]
	if m == nil {
		m = &measure{row: r, extra: map[string][]float64{}}
		t.cells[r.name][c.name] = m
	}
	return m
}

// at is a cell by names, or nil.
func (t *table) at(row, column string) *measure { return t.cells[row][column] }

// flaw is what went wrong in a cell, or "".
func (m *measure) flaw() string {
	switch {
	case m.lost > 0:
		return fmt.Sprintf("lost %s", megabytes(m.lost))
	case m.failed > 0:
		return fmt.Sprintf("failed %d of %d times", m.failed, m.rounds)
	case m.errors > 0:
		return fmt.Sprintf("%d of %d failed", m.errors, m.asked)
	}
	return ""
}

func megabytes(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
