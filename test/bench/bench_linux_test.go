package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/bench/load"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// A short run on real parts: figures where all goes well, and none where bytes are lost.
func TestBench(t *testing.T) {
	lab.Need(t, append(stage.Parts, lab.PartSocat)...)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	file := filepath.Join(t.TempDir(), "latest.json")
	o := options{
		rows: "new-connection,down,relay-trip,late-answer", columns: "direct,windows,bridge,original,bare",
		rounds: 1, limit: time.Minute, bytes: 2_000_000, quick: true, json: file,
	}
	if err := bench(ctx, o, io.Discard); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Machine struct{ CPUs int }
		Rows    map[string]map[string]struct {
			P50, P99  float64
			Unit      string
			UnderWine bool
			Flaw      string
			LostBytes int64
		}
		Goals []verdict
	}
	if err := json.Unmarshal(text, &said); err != nil {
		t.Fatal(err)
	}
	units := map[string]string{rowNew: "ms", rowDown: "MB/s", "late-answer": "ms"}
	for row, unit := range units {
		for _, column := range []string{nameDirect, nameWindows, nameBridge} {
			c := said.Rows[row][column]
			if c.P50 <= 0 || c.P99 <= 0 || c.Unit != unit || c.Flaw != "" || c.UnderWine != (column != nameDirect) {
				t.Errorf("%s, %s: %+v", row, column, c)
			}
		}
	}
	if c := said.Rows[rowDown][nameBare]; c.P50 <= 0 || c.Flaw != "" || len(said.Rows[rowNew][nameBare].Unit) > 0 {
		t.Errorf("bare: %+v, and on a new connection %+v", c, said.Rows[rowNew][nameBare])
	}
	if c := said.Rows[rowCeilTrip][nameBridge]; c.P50 <= 0 || c.Flaw != "" {
		t.Errorf("%s: %+v", rowCeilTrip, c)
	}
	// socat waits half a second for what comes after the end of input.
	if c := said.Rows["late-answer"][nameOriginal]; c.LostBytes != lateBytes || c.P50 != 0 || c.Flaw == "" {
		t.Errorf("late-answer, original: %+v, want %d lost bytes and no figure", c, lateBytes)
	}
	if said.Machine.CPUs == 0 || len(said.Goals) == 0 {
		t.Errorf("machine %+v, goals %+v", said.Machine, said.Goals)
	}
}

func TestChooseNamesWhatThereIs(t *testing.T) {
	name := func(s string) string { return s }
	all := []string{"a", "b", "c"}
	if got, err := choose("row", "c,a", all, name); err != nil || strings.Join(got, "") != "ac" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := choose("row", "a,d", all, name); err == nil || !strings.Contains(err.Error(), "row d: there are a, b, c") {
		t.Errorf("%v", err)
	}
}

// made is a table with some cells: the row's, by column.
func made(cells map[string]map[string]*measure) *table {
	t := newTable(options{rounds: 1})
	for _, r := range allRows() {
		if cells[r.name] == nil {
			continue
		}
		t.rows = append(t.rows, r)
		for _, m := range cells[r.name] {
			m.row, m.rounds = r, 1
		}
	}
	for _, name := range []string{nameDirect, nameWindows, nameBridge, nameOriginal} {
		t.columns = append(t.columns, &column{name: name})
	}
	t.cells = cells
	return t
}

func ms(samples ...float64) *measure { return &measure{samples: samples} }

func TestGoalsAreCompared(t *testing.T) {
	lossy := ms(1)
	lossy.lost = 5
	tab := made(map[string]map[string]*measure{
		rowNew:  {nameBridge: ms(2, 2.2, 9), nameWindows: ms(2), nameOriginal: lossy},
		rowKept: {nameBridge: ms(3), nameWindows: ms(2)},
	})
	want := map[string]string{
		rowNew + " <= 1.15 x windows":           "met",
		rowNew + " 30 x faster than original":   "unknown", // what broke is no figure to be quicker than
		rowNew + " 15 x faster than npiperelay": "unknown",
		rowKept + " <= 1.10 x windows":          "MISSED",
	}
	for _, v := range judged(tab) {
		if word, asked := want[v.Row+" "+v.Goal]; asked && v.word() != word {
			t.Errorf("%+v is %s, want %s", v, v.word(), word)
		}
		delete(want, v.Row+" "+v.Goal)
	}
	if len(want) > 0 {
		t.Errorf("no verdict on %v", want)
	}
}

// A cell that lost bytes or failed shows that and no figure; requests that were not
// answered show beside one.
func TestFlawsAreShown(t *testing.T) {
	failed, lost, errors := ms(7), ms(7), ms(7)
	failed.failed, lost.lost = 1, 2_500_000
	errors.counts(load.Result{Count: 3, Errors: 2, Error: "refused"})
	tab := made(map[string]map[string]*measure{rowNew: {nameDirect: failed, nameWindows: lost, nameBridge: errors}})
	page := tab.markdown(nil)
	for _, want := range []string{"| failed 1 of 1 times | lost 2.5 MB | 7.00; 2 of 5 failed |"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
	if svg := tab.draw(plots[0]); !strings.Contains(svg, "lost 2.5 MB") || strings.Count(svg, ">7.00<") != 1 {
		t.Errorf("plot: %s", svg)
	}
}

func TestPageKeepsItsProse(t *testing.T) {
	page := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(page, []byte("before\n"+markBegin+"old\n"+markEnd+"behind\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tab := made(map[string]map[string]*measure{rowNew: {nameDirect: ms(0.1), nameBridge: ms(90)}})
	if err := tab.writeDocs(page); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(page)
	said := string(text)
	if !strings.HasPrefix(said, "before\n"+markBegin) || !strings.HasSuffix(said, markEnd+"behind\n") || strings.Contains(said, "old") || !strings.Contains(said, "performance/latency.svg") {
		t.Errorf("%s", said)
	}
	svg, err := os.ReadFile(filepath.Join(filepath.Dir(page), "performance", "latency.svg"))
	if err != nil || !strings.Contains(string(svg), "logarithmic scale, from 0.1 ms") {
		t.Errorf("%s, %v", svg, err)
	}
}

func TestGoOutputIsRead(t *testing.T) {
	rows := parseGo(nil, []byte(`goos: linux
BenchmarkBulk/write=4KiB/mux=ours-2    	  209623	      1082 ns/op	3784.54 MB/s	      11 B/op	       0 allocs/op
BenchmarkBulk/write=4KiB/mux=ours-2    	  209623	      1090 ns/op	3784.54 MB/s	      11 B/op	       0 allocs/op
BenchmarkBulk/write=4KiB/mux=go-yamux-2	  113956	      2145 ns/op	1909.21 MB/s	      10 B/op	       3 allocs/op
PASS
`))
	tab := &table{goRows: rows}
	ours, _ := tab.goFigure("Bulk/write=4KiB", "ours", "ns/op")
	theirs, _ := tab.goFigure("Bulk/write=4KiB", "go-yamux", "allocs/op")
	if len(rows) != 1 || ours != 1082 || theirs != 3 {
		t.Errorf("%+v", rows)
	}
}
