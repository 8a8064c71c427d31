package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// own is a directory of ours that does not exist yet. testing's own can't be removed under Wine 8.
func own(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "dwb-state-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, dirName)
}

// Whoever reads while many write a file finds one of them, whole; nothing else is left.
func TestWriteIsWhole(t *testing.T) {
	path := filepath.Join(own(t), "a", "x.json")
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			text := make([]byte, 16<<10)
			for k := range text {
				text[k] = byte('a' + i)
			}
			for range 10 {
				if err := WriteFile(path, text, 0o600); err != nil {
					t.Error(err)
				}
				b, err := ReadFile(path, 1<<20)
				if err != nil || len(b) != len(text) || b[0] != b[len(b)-1] {
					t.Errorf("%d bytes, %v", len(b), err)
				}
			}
		})
	}
	writers.Wait()
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// What a killed process has left beside a file keeps nobody from writing it.
func TestHalfAFileIsInNobodysWay(t *testing.T) {
	path := filepath.Join(own(t), "x.json")
	for _, text := range []string{"old", "new"} {
		if err := WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := ReadFile(path, 10); string(b) != text || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		if err := os.WriteFile(path+".new", []byte("ha"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A file is made where nothing is, is found where it is one, and is removed once.
func TestCreateReadRemove(t *testing.T) {
	path := filepath.Join(own(t), "x.json")
	if _, err := ReadFile(path, 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read what is not there: %v", err)
	}
	if err := CreateFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CreateFile(path, nil, 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made again: %v", err)
	}
	if b, err := ReadFile(path, 4); string(b) != "text" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := ReadFile(path, 3); !errors.Is(err, ErrForeign) {
		t.Errorf("too long: %v", err)
	}
	if _, err := ReadFile(filepath.Dir(path), 10); !errors.Is(err, ErrForeign) {
		t.Errorf("a directory: %v", err)
	}
	if err := RemoveDir(filepath.Dir(path)); err != nil {
		t.Errorf("a directory that is not empty: %v", err)
	}
	for range 2 {
		if err := RemoveFile(path); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := RemoveDir(filepath.Dir(path)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory: %v", err)
	}
}

// An error names the whole path, as without a root.
func TestErrorsNameWholePaths(t *testing.T) {
	dir := own(t)
	path := filepath.Join(dir, "x.json")
	if err := CreateFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"open " + path + ": ": CreateFile(path, nil, 0o600),
		"rename " + filepath.Join(dir, "y") + " " + filepath.Join(dir, "z") + ": ": RenameFile(filepath.Join(dir, "y"), "z"),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Nothing is ours but what lies in a directory of our name.
func TestNothingElseIsTouched(t *testing.T) {
	path := filepath.Join(filepath.Dir(own(t)), "x.json")
	if err := os.WriteFile(path, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, do := range changes() {
		if err := do(path); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b, err := os.ReadFile(path); string(b) != "theirs" {
		t.Errorf("%q, %v", b, err)
	}
}

// changes are all ways to change something.
func changes() map[string]func(path string) error {
	return map[string]func(path string) error{
		"write":  func(path string) error { return WriteFile(path, []byte("ours"), 0o600) },
		"create": func(path string) error { return CreateFile(path+"2", []byte("ours"), 0o600) },
		"append": func(path string) error {
			f, err := OpenAppend(path)
			if err != nil {
				return err
			}
			_, err = f.WriteString("ours")
			return errors.Join(err, f.Close())
		},
		"rename": func(path string) error { return RenameFile(path, "y.json") },
		"remove": RemoveFile,
	}
}
