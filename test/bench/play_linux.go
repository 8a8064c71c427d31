package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// cellTime is when a cell hangs.
const cellTime = 90 * time.Second

// choose gives those of all that are named, in the order of all.
func choose[T any](what, names string, all []T, nameOf func(T) string) (chosen []T, err error) {
	if names == "" {
		return all, nil
	}
	wanted := strings.Split(names, ",")
	for _, one := range all {
		if i := slices.Index(wanted, nameOf(one)); i >= 0 {
			chosen = append(chosen, one)
			wanted = slices.Delete(wanted, i, i+1)
		}
	}
	if len(wanted) > 0 {
		var known []string
		for _, one := range all {
			known = append(known, nameOf(one))
		}
		return nil, fmt.Errorf("find %s %s: there are %s", what, wanted[0], strings.Join(known, ", "))
	}
	return chosen, nil
}

// A turn is one cell, once.
type turn struct {
	round int
	row   *row
	col   *column
}

// turns are all of them, in order: round by round, and in each row the columns one
// after the other, so that whatever else the machine does hits all of them.
func turns(t *table) (list []turn) {
	for round := range t.rounds {
		for _, r := range t.rows {
			if r.rounds > 0 && round >= r.rounds {
				continue
			}
			for _, c := range t.columns {
				if c.missing == "" && r.isFor(c) {
					list = append(list, turn{round, r, c})
				}
			}
		}
	}
	return list
}

// play measures every cell. A cell that fails is a figure, too; only an end of
// everything is an error.
func play(ctx context.Context, p *place, t *table, out io.Writer) error {
	began := time.Now()
	list := turns(t)
	took := map[string][]time.Duration{} // of cells, as far as known
	for i, turn := range list {
		if time.Since(began) > t.limit {
			t.cut = fmt.Sprintf("the time was up in round %d of %d", turn.round+1, t.rounds)
			fmt.Fprintln(out, t.cut)
			return nil
		}
		fmt.Fprintf(out, "round %d/%d  %-22s %-13s %6v left\n",
			turn.round+1, t.rounds, turn.row.name, turn.col.name, left(list[i:], took).Round(time.Second))
		start := time.Now()
		m := t.cell(turn.row, turn.col)
		m.begin()
		cell, cancel := context.WithTimeout(ctx, cellTime)
		err := turn.row.run(cell, p, turn.col, m)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			m.fails(err)
		}
		key := turn.row.name + " " + turn.col.name
		took[key] = append(took[key], time.Since(start))
	}
	return nil
}

// left is how long the rest may take: as long as the same cells took before, or
// as rows say.
func left(list []turn, took map[string][]time.Duration) (sum time.Duration) {
	for _, t := range list {
		if known := took[t.row.name+" "+t.col.name]; len(known) > 0 {
			sum += known[len(known)-1]
			continue
		}
		sum += t.row.estimate
	}
	return sum
}
