package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
)

// Nobody reads what is logged, for ever: that holds nobody up, and a reader who comes late
// finds whole lines.
func TestAnUnreadLogHoldsNobodyUp(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	out, err := newLossy(int(w.Fd())) // Fd has made it blocking
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(out, nil))
	for i := range 10_000 { // a pipe holds some hundred
		log.Warn("accept", "number", i)
	}
	said := make([]byte, 1<<20)
	n, err := r.Read(said)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(said[:n]), "\n"), "\n") {
		if !strings.HasSuffix(line, fmt.Sprint(" number=", i)) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
	log.Warn("there is room again")
	if n, err = r.Read(said); err != nil || !strings.Contains(string(said[:n]), "there is room again") {
		t.Errorf("then it says %q, %v", said[:n], err)
	}
}
