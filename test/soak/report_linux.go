package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// line is the count in short.
func (t *tally) line() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%d operations, %.1f MB, %d faults, %d losses, %d leaks (%s)",
		sum(t.operations), float64(t.bytes)/1e6, sum(t.faults), len(t.losses), len(t.leaks), t.weather())
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// report is the count for a person, and with --json for a script.
func (t *tally) report(out io.Writer, o options) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "seed\t%d\n", o.seed)
	fmt.Fprintf(w, "operations\t%d\t%s\n", sum(t.operations), each(t.operations, "%s %d"))
	fmt.Fprintf(w, "failed under a fault\t%d\n", t.failed)
	fmt.Fprintf(w, "bytes\t%d\n", t.bytes)
	fmt.Fprintf(w, "faults\t%d\t%s\n", sum(t.faults), each(t.faults, "%s %d"))
	fmt.Fprintf(w, "losses\t%d\n", len(t.losses))
	fmt.Fprintf(w, "leaks\t%d\n\n", len(t.leaks))
	fmt.Fprintf(w, "longest operation\t\t%s\n", each(rounded(t.longest), "%s %v"))
	fmt.Fprintf(w, "longest until served again\t\t%s\n", each(rounded(t.back), "%s %v"))
	fmt.Fprintf(w, "after the warm-up\t\t%s\n", each(t.usage[0], "%s %v"))
	fmt.Fprintf(w, "at the end\t\t%s\n", each(t.usage[1], "%s %v"))
	for _, text := range t.losses {
		fmt.Fprintf(w, "loss\t\t%s\n", text)
	}
	for _, text := range t.leaks {
		fmt.Fprintf(w, "leak\t\t%s\n", text)
	}
	if err := w.Flush(); err != nil || !o.json {
		return err
	}
	return json.NewEncoder(out).Encode(map[string]any{
		"seed": o.seed, "operations": sum(t.operations), "failedUnderFault": t.failed, "bytes": t.bytes,
		"faults": t.faults, "losses": len(t.losses), "leaks": len(t.leaks),
	})
}

// each writes a table's entries, in order, on a line.
func each[V any](table map[string]V, format string) string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(table)) {
		list = append(list, fmt.Sprintf(format, key, table[key]))
	}
	return strings.Join(list, ", ")
}

func rounded(table map[string]time.Duration) map[string]time.Duration {
	short := maps.Clone(table)
	for key := range short {
		short[key] = short[key].Round(10 * time.Millisecond)
	}
	return short
}
