package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// remembered is all that is recorded, in order, and how many files tell nothing.
func remembered(t *testing.T, dir string) (list []Made, broken int) {
	t.Helper()
	list, files, err := Remembered(dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list, func(a, b Made) int { return strings.Compare(a.Distro+a.Socket+a.User, b.Distro+b.Socket+b.User) })
	return list, len(files)
}

// What was made is known until its distro was cleaned, whoever records it at the same time.
func TestWhatIsMadeIsRemembered(t *testing.T) {
	dir := own(t)
	if list, broken, err := Remembered(dir); len(list)+len(broken) > 0 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("at first: %+v, %q, %v", list, broken, err)
	}
	all := []Made{
		{Distro: "A"},
		{Distro: "A", Context: "windows", User: "alice"},
		{Distro: "B", Socket: `/run/a "b".sock`},
	}
	var writing sync.WaitGroup
	for n := range 30 {
		writing.Go(func() {
			if err := Remember(dir, all[n%len(all)]); err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	if list, broken := remembered(t, dir); !reflect.DeepEqual(list, all) || broken > 0 {
		t.Errorf("%+v, %d broken", list, broken)
	}
	for range 2 {
		if err := Forget(dir, "a"); err != nil {
			t.Fatal(err)
		}
	}
	if list, _ := remembered(t, dir); !reflect.DeepEqual(list, all[2:]) {
		t.Errorf("without A: %+v", list)
	}
}

// A file that is none of ours counts for nothing, and is told; one of ours is made whole again.
func TestABrokenRecord(t *testing.T) {
	dir := own(t)
	m := Made{Distro: "A", Socket: "/run/x.sock"}
	if err := Remember(dir, m); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"", "{", `{"distro":"B","socket":"/run/x.sock"}`, `{"distro":"A","socket":"/run/x.sock","more":1}`,
		`{"distro":"A","socket":"/run/x.sock"} {}`, `{"socket":"/run/x.sock"}`,
		`{"distro":"A","socket":"/run/x.sock"}` + strings.Repeat(" ", maxMade),
	} {
		if err := os.WriteFile(m.File(dir), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if list, broken := remembered(t, dir); len(list) > 0 || broken != 1 {
			t.Errorf("%.60q: %+v, %d broken", text, list, broken)
		}
		if err := Remember(dir, m); err != nil {
			t.Error(err)
		}
		if list, broken := remembered(t, dir); !slices.Equal(list, []Made{m}) || broken != 0 {
			t.Errorf("after %.60q: %+v, %d broken", text, list, broken)
		}
	}
	// One that is being written is none yet; one that a killed process has left is none.
	half := filepath.Join(MadeDir(dir), "1.new")
	for _, c := range []struct {
		written time.Time
		broken  int
	}{{time.Now(), 0}, {time.Now().Add(-time.Hour), 1}} {
		if err := errors.Join(os.WriteFile(half, nil, 0o600), os.Chtimes(half, c.written, c.written)); err != nil {
			t.Fatal(err)
		}
		if list, broken := remembered(t, dir); len(list) != 1 || broken != c.broken {
			t.Errorf("beside half a file of %v: %+v, %d broken", c.written, list, broken)
		}
	}
}
