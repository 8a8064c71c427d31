package lab

import (
	"context"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// whenStale builds what belongs at out unless it was built from these sources, one at a time for each
// out on the whole machine: several packages' tests ask for the same program at once.
func whenStale(ctx context.Context, out, from string, build func() error) error {
	if isBuilt(out, from) {
		return nil
	}
	unlock, err := lock(ctx, mark(out)+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if isBuilt(out, from) {
		return nil
	}
	if err := build(); err != nil {
		return err
	}
	return markBuilt(out, from)
}

// The mark of a program says from which sources it was built.
func mark(out string) string {
	name, _ := filepath.Rel(Root(), out) // below root it has one
	return filepath.Join(Root(), "build", "test", "marks", strings.ReplaceAll(name, string(filepath.Separator), "_"))
}

func isBuilt(out, from string) bool {
	said, err := os.ReadFile(mark(out))
	_, gone := os.Stat(out)
	return err == nil && gone == nil && string(said) == from
}

func markBuilt(out, from string) error {
	err := os.MkdirAll(filepath.Dir(mark(out)), 0o755)
	if err == nil {
		err = os.WriteFile(mark(out), []byte(from), 0o644)
	}
	if err != nil {
		return fmt.Errorf("mark program as built: %w", err)
	}
	return nil
}

// sources tells one state of the repository's files from another, those of the kind that want
// tells: by their names, sizes and times, for it is asked by every test program. (The go command
// reads them all, and links again for half a second.)
func sources(want func(name string) bool) string { return sourcesBelow(Root(), want) }

func sourcesBelow(root string, want func(name string) bool) string {
	sum := fnv.New128a()
	fmt.Fprintln(sum, runtime.Version(), os.Getenv("GOFLAGS"))
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path) // below root it has one
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{"build", "docs", "bench", ".git", ".github"}, name):
			return fs.SkipDir
		case !d.Type().IsRegular() || !want(filepath.ToSlash(name)):
			return nil
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintln(sum, name, info.Size(), info.ModTime().UnixNano())
		}
		return err
	})
	if err != nil {
		return fmt.Sprintf("unknown: %v, process %d", err, os.Getpid()) // equal to no other
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}
