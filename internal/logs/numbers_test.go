package logs

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"testing"
)

// The table of docs/events.md has all events, and no other: somebody's alarm may hang on them.
func TestEventsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[int]slog.Level{}
	words := map[string]slog.Level{"warning": slog.LevelWarn, "error": slog.LevelError}
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+) \| (\w+) \| \S`).FindAllStringSubmatch(string(page), -1) {
		var id int
		fmt.Sscan(m[1], &id)
		level, known := words[m[2]]
		if _, twice := documented[id]; twice || !known {
			t.Errorf("event %d is documented twice, or as %q", id, m[2])
		}
		documented[id] = level
	}
	if !maps.Equal(documented, EventLevels) {
		t.Errorf("docs/events.md has %v, the program %v", documented, EventLevels)
	}
	for id := range EventLevels {
		if id < 1 || id > 1000 {
			t.Errorf("event %d has no text in Windows' program for these", id)
		}
	}
}
