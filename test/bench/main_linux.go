// Command bench measures every path from a client to an engine side by side: the
// engine's own socket, its pipe, the bridge in several forms, and its peers.
//
// A column is a path, a row is something to do, a cell one row in one column. All
// columns are up at once and take turns, round by round. Clients check every byte.
//
// Law: a path that fails or loses bytes has no speed; its cell says how often, and
// what. Everything is bounded: a cell, and the whole.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

const (
	// setTime bounds the way to the first cell; the first run makes a Wine prefix.
	setTime = 5 * time.Minute
	// defaultRounds are enough for medians that differ by a few per cent.
	defaultRounds = 5
)

// options are what a run is asked for.
type options struct {
	rows, columns string // names between commas; empty: all
	rounds        int
	limit         time.Duration
	bytes         int64 // of a bulk cell
	quick         bool
	json, docs    string // files to write; empty: none
}

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

func run(args []string, out io.Writer) int {
	o := options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.rows, "rows", "", "only these rows, `names` between commas")
	flags.StringVar(&o.columns, "columns", "", "only these columns, `names` between commas")
	flags.IntVar(&o.rounds, "rounds", defaultRounds, "how often each cell is measured")
	flags.DurationVar(&o.limit, "limit", 20*time.Minute, "no cell is begun later")
	flags.Int64Var(&o.bytes, "bytes", 200_000_000, "how much a bulk cell carries")
	flags.BoolVar(&o.quick, "quick", false, "short cells, for a look and for tests")
	flags.StringVar(&o.json, "json", filepath.Join(lab.Root(), "bench", "latest.json"), "the `file` for the figures; empty: none")
	flags.StringVar(&o.docs, "docs", "", "the `page` that takes table and plots between its markers; empty: none")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || o.rounds < 1 {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, setTime+o.limit+cellTime)
	defer cancel()
	if err := bench(ctx, o, out); err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		return 1
	}
	return 0
}

func bench(ctx context.Context, o options, out io.Writer) error {
	rows, err := choose("row", o.rows, allRows(), func(r *row) string { return r.name })
	if err != nil {
		return err
	}
	if err := lab.Missing(append(stage.Parts, lab.PartSocat)...); err != nil {
		return err
	}
	t := newTable(o)
	for _, r := range rows {
		if goPackages[r.name] != "" {
			t.goNames = append(t.goNames, r.name)
			continue
		}
		t.rows = append(t.rows, r)
	}
	if err := measured(ctx, o, t, out); err != nil {
		return err
	}
	if err := goBenchmarks(ctx, o, t, out); err != nil {
		return err
	}
	t.verdicts = judged(t)
	if err := t.print(out); err != nil {
		return err
	}
	return t.write(o)
}

// measured sets everything up, fills the table in and puts all away.
func measured(ctx context.Context, o options, t *table, out io.Writer) (err error) {
	if len(t.rows) == 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "docker-wsl-bridge-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p := &place{dir: dir, o: o}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := p.open(ctx, out); err != nil {
		return err
	}
	t.columns, err = choose("column", o.columns, p.allColumns(), func(c *column) string { return c.name })
	if err != nil {
		return err
	}
	if err := p.openColumns(ctx, t.columns, out); err != nil {
		return err
	}
	return play(ctx, p, t, out)
}
