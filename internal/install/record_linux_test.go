package install

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// mine is the place of a user with nothing in it, and its record's file.
func mine(t *testing.T) (Place, string) {
	p := Place{State: filepath.Join(t.TempDir(), "docker-wsl-bridge")}
	return p, filepath.Join(p.State, recordName)
}

// What the record tells is told again, and a file that is none counts for nothing.
func TestRecord(t *testing.T) {
	p, file := mine(t)
	if r, err := p.ReadRecord(); r != nil || err != nil {
		t.Errorf("without a file: %+v, %v", r, err)
	}
	want := Record{Version: "1", Form: RunKey, Why: "refused", Programs: `C:\p`, Args: []string{"run"}}
	if err := p.WriteRecord(want); err != nil {
		t.Fatal(err)
	}
	if r, err := p.ReadRecord(); err != nil || r == nil || r.Why != want.Why || r.Form != RunKey || !slices.Equal(r.Args, want.Args) {
		t.Errorf("%+v, %v", r, err)
	}
	for _, text := range []string{"", "{", `{"form":"other"}`, `{"form":"service"}`, strings.Repeat(" ", maxRecord) + `{"form":"task"}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := p.ReadRecord(); r != nil || err != nil {
			t.Errorf("%.20q: %+v, %v", text, r, err)
		}
	}
}

// A file of any size costs what a record may have.
func TestRecordIsBounded(t *testing.T) {
	p, file := mine(t)
	if err := p.WriteRecord(Record{Form: Task}); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 8<<20); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := p.ReadRecord()
	runtime.ReadMemStats(&after)
	if r != nil || err != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if cost := after.TotalAlloc - before.TotalAlloc; cost > 16*maxRecord {
		t.Errorf("it took %d bytes", cost)
	}
}

// A link in the place of our directory, or of one in it, leads nobody elsewhere.
func TestLinksLeadNobodyElsewhere(t *testing.T) {
	p, file := mine(t)
	elsewhere := t.TempDir()
	victim := filepath.Join(elsewhere, recordName)
	if err := os.WriteFile(victim, []byte(`{"form":"task"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	refused := func(what string) {
		t.Helper()
		if r, err := p.ReadRecord(); r != nil || err == nil {
			t.Errorf("%s: read %+v", what, r)
		}
		for _, err := range []error{p.WriteRecord(Record{Form: RunKey}), PutProgram(victim, file), RemovePath(file, false)} {
			if err == nil {
				t.Errorf("%s is followed", what)
			}
		}
		left, err := os.ReadDir(elsewhere)
		if b, _ := os.ReadFile(victim); err != nil || len(left) != 1 || string(b) != `{"form":"task"}` {
			t.Errorf("%s: there are %v, %v, with %q", what, left, err, b)
		}
	}
	if err := os.Symlink(elsewhere, p.State); err != nil {
		t.Fatal(err)
	}
	refused("a link to the directory")
	if err := os.Remove(p.State); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(p.State, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(p.State, "logs")); err != nil {
		t.Fatal(err)
	}
	if err := RemovePath(filepath.Join(p.State, "logs", recordName), false); err == nil {
		t.Error("a link to the logs is followed")
	}
	if _, err := os.Stat(victim); err != nil {
		t.Error(err)
	}
}
