package install

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// What the record tells is told again, and a file that is none counts for nothing.
func TestRecord(t *testing.T) {
	p := Place{State: t.TempDir()}
	if r, err := p.Read(); r != nil || err != nil {
		t.Errorf("without a file: %+v, %v", r, err)
	}
	want := Record{Version: "1", Form: RunKey, Why: "refused", Programs: `C:\p`, Args: []string{"run"}}
	if err := p.Write(want); err != nil {
		t.Fatal(err)
	}
	if r, err := p.Read(); err != nil || r == nil || r.Why != want.Why || r.Form != RunKey || !slices.Equal(r.Args, want.Args) {
		t.Errorf("%+v, %v", r, err)
	}
	for _, text := range []string{"", "{", `{"form":"other"}`, strings.Repeat(" ", maxRecord) + `{"form":"task"}`} {
		if err := os.WriteFile(p.record(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := p.Read(); r != nil || err != nil {
			t.Errorf("%.20q: %+v, %v", text, r, err)
		}
	}
}
