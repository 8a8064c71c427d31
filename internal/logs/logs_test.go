package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tempDir is t.TempDir without its wish for an empty end: Wine has no call of those that
// os.RemoveAll makes on Windows, and its prefix goes with the test.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "dwb-logs-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	own := filepath.Join(dir, "docker-wsl-bridge", "logs")
	if err := os.MkdirAll(own, 0o700); err != nil {
		t.Fatal(err)
	}
	return own
}

func openAt(t *testing.T, path string) *File {
	t.Helper()
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func write(t *testing.T, l *File, line string) {
	t.Helper()
	if _, err := l.Write([]byte(line + "\n")); err != nil {
		t.Fatal(err)
	}
}

// numberedLine is long, so that a file is full soon.
func numberedLine(i int) string { return fmt.Sprintf("%06d%s", i, strings.Repeat(".", 10_000)) }

const linesOfFile = maxSize / 10_007

func printed(t *testing.T, path string, lines int) (got []string) {
	t.Helper()
	if err := PrintTail(t.Context(), path, lines, false, func(line string) error { got = append(got, line); return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestALogIsBoundedAndItsLastLinesArePrinted(t *testing.T) {
	path := filepath.Join(tempDir(t), "deep", "x.log")
	l := openAt(t, path)
	const count = 10 * linesOfFile
	for i := range count {
		write(t, l, numberedLine(i))
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != pieces {
		t.Errorf("files: %v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Size() > maxSize {
			t.Errorf("%s has %d bytes, %v", e.Name(), info.Size(), err)
		}
	}
	for _, lines := range []int{0, 1, 3 * linesOfFile} {
		got := printed(t, path, lines)
		if len(got) != lines {
			t.Fatalf("%d lines, want %d", len(got), lines)
		}
		for i, line := range got {
			if want := numberedLine(count - lines + i); line != want {
				t.Fatalf("line %d is %.10q, want %.10q", i, line, want)
			}
		}
	}
	if all := printed(t, path, 1<<20); len(all) < (pieces-1)*linesOfFile || all[len(all)-1] != numberedLine(count-1) {
		t.Errorf("%d lines in all", len(all))
	}
}

func TestALogGoesOn(t *testing.T) {
	path := filepath.Join(tempDir(t), "x.log")
	for _, line := range []string{"one", "two"} {
		l, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, l, line)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(printed(t, path, 10), " "); got != "one two" {
		t.Errorf("%q", got)
	}
}

func TestNoLog(t *testing.T) {
	err := PrintTail(t.Context(), filepath.Join(tempDir(t), "x.log"), 1, true, func(string) error { return nil })
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// Whoever follows gets every line, in order, however often the file is renewed under him, and
// keeps nobody from renewing it.
func TestFollowAcrossRotations(t *testing.T) {
	path := filepath.Join(tempDir(t), "x.log")
	l := openAt(t, path)
	write(t, l, "before")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	lines, ended := make(chan string), make(chan error, 1)
	go func() {
		ended <- PrintTail(ctx, path, 1, true, func(line string) error { lines <- line; return nil })
	}()
	if got := <-lines; got != "before" {
		t.Fatalf("%q", got)
	}
	// The reader takes nothing meanwhile, and has the first file open.
	for i := range 3 * linesOfFile {
		write(t, l, numberedLine(i))
	}
	for i := range 3 * linesOfFile {
		select {
		case got := <-lines:
			if got != numberedLine(i) {
				t.Fatalf("got %.10q, want %.10q", got, numberedLine(i))
			}
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		}
	}
	if entries, _ := filepath.Glob(path + "*"); len(entries) < 3 {
		t.Errorf("the file was not renewed: %q", entries)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A line that is written in pieces is a line once its end has come.
func TestFollowWaitsForTheEndOfALine(t *testing.T) {
	path := filepath.Join(tempDir(t), "x.log")
	l := openAt(t, path)
	write(t, l, "first")
	if _, err := l.Write([]byte("hal")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []string
	err := PrintTail(ctx, path, 10, true, func(line string) error {
		got = append(got, line)
		switch line {
		case "first":
			write(t, l, "f")
		case "half":
			cancel()
		}
		return nil
	})
	if err != nil || strings.Join(got, " ") != "first half" {
		t.Errorf("%q, %v", got, err)
	}
}

// A renewal that fails in the middle, since somebody holds the current file, costs none of the older ones,
// however often it is tried.
func TestARenewalThatFailsLosesNothing(t *testing.T) {
	path := filepath.Join(tempDir(t), "x.log")
	for i := range pieces {
		if err := os.WriteFile(pieceName(path, i), []byte{byte('0' + i)}, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// As if the current one could not be moved: the place before it is free already.
	if err := os.Rename(pieceName(path, 1), pieceName(path, pieces-1)); err != nil {
		t.Fatal(err)
	}
	l := openAt(t, path)
	l.rotateFiles()
	for i, want := range map[int]string{1: "0", 2: "2", 3: "3", 4: "1"} {
		if got, err := os.ReadFile(pieceName(path, i)); string(got) != want {
			t.Errorf("piece %d is %q, %v; want %q", i, got, err, want)
		}
	}
}
