package house

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

const (
	// mostRoof is what the Windows program may have beside its rooms: commands, flags, what is printed.
	mostRoof = 2500
	// mostRoom is what a room may have, and mostFile a file.
	mostRoom = 2700
	mostFile = 400
)

// The roof is thin, and whoever reads a room comes to its end. Tests don't count, but for their files.
func TestRoomsAreSmall(t *testing.T) {
	lines := map[string]int{}
	for _, dir := range []string{"cmd", "internal"} {
		for file, text := range files(t, dir, ".go") {
			n := strings.Count(text, "\n")
			if n > mostFile && !strings.HasSuffix(file, "_test.go") {
				t.Errorf("%s has %d lines, a file may have %d", file, n, mostFile)
			}
			if !strings.HasSuffix(file, "_test.go") {
				lines[path.Dir(file)] += n
			}
		}
	}
	for _, room := range slices.Sorted(maps.Keys(lines)) {
		most := mostRoom
		if room == "cmd/docker-wsl-bridge" {
			most = mostRoof
		}
		if lines[room] > most {
			t.Errorf("%s has %d lines, it may have %d", room, lines[room], most)
		}
	}
}
