package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// goTime bounds the Go benchmarks.
const goTime = 4 * time.Minute

// The Go benchmarks, by the name that -rows knows them by.
const (
	goMux   = "go-mux"
	goRelay = "go-relay"
)

var goPackages = map[string]string{goMux: "./internal/mux", goRelay: "./internal/bridge"}

// A goRow is a Go benchmark: what it measured for each of what it compares.
type goRow struct {
	name  string
	sides map[string]map[string][]float64 // by side ("ours", "go-yamux") and unit ("ns/op")
}

// goName takes a benchmark's name apart: the side is what stands behind mux= or path=.
var goName = regexp.MustCompile(`^Benchmark(\S*?)/(?:mux|path)=(\S+?)(?:-\d+)?$`)

// goBenchmarks runs them after everything else has ended.
func goBenchmarks(ctx context.Context, o options, t *table, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, goTime)
	defer cancel()
	for _, name := range t.goNames {
		fmt.Fprintf(out, "Go benchmarks: %s\n", goPackages[name])
		length := "300ms"
		if o.quick {
			length = "20ms"
		}
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", ".", "-benchmem",
			"-benchtime", length, "-count", strconv.Itoa(min(o.rounds, 3)), goPackages[name])
		cmd.Dir = lab.Root()
		said, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("run the benchmarks of %s: %w\n%s", goPackages[name], err, said)
		}
		t.goRows = parseGo(t.goRows, said)
	}
	return nil
}

// parseGo adds the lines of a benchmark's output to rows.
func parseGo(rows []goRow, said []byte) []goRow {
	lines := bufio.NewScanner(bytes.NewReader(said))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 4 {
			continue
		}
		part := goName.FindStringSubmatch(f[0])
		if part == nil {
			continue
		}
		i := 0
		for i < len(rows) && rows[i].name != part[1] {
			i++
		}
		if i == len(rows) {
			rows = append(rows, goRow{part[1], map[string]map[string][]float64{}})
		}
		side := rows[i].sides[part[2]]
		if side == nil {
			side = map[string][]float64{}
			rows[i].sides[part[2]] = side
		}
		for ; len(f) >= 4; f = append(f[:2], f[4:]...) {
			if figure, err := strconv.ParseFloat(f[2], 64); err == nil {
				side[f[3]] = append(side[f[3]], figure)
			}
		}
	}
	return rows
}

// goFigure is a side's median, and whether there is one.
func (t *table) goFigure(row, side, unit string) (float64, bool) {
	for _, r := range t.goRows {
		if list := r.sides[side][unit]; r.name == row && len(list) > 0 {
			return percentile(list, 0.5), true
		}
	}
	return 0, false
}
