package house

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	declared = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
	// named is a test in a page, with or without its room: `mux.TestConn`.
	named = regexp.MustCompile("`(?:([a-z0-9_/]+)\\.)?((?:Test|Fuzz)[A-Z]\\w*)`")
	// toRun is a test, or the beginning of some, in a command line.
	toRun = regexp.MustCompile(`-(?:run|fuzz) '?\^((?:Test|Fuzz)[A-Z]\w*)`)
)

// A test that a page names is there, and in the room that the page says.
func TestDocsNameRealTests(t *testing.T) {
	tests := declaredTests(t)
	for page, text := range files(t, "docs", ".md") {
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if !slices.ContainsFunc(tests, func(full string) bool { return isTest(full, m[1], m[2]) }) {
				t.Errorf("%s names %s, which is no test", page, m[0])
			}
		}
		for _, m := range toRun.FindAllStringSubmatch(text, -1) {
			if !slices.ContainsFunc(tests, func(full string) bool { return strings.Contains(full, "."+m[1]) }) {
				t.Errorf("%s runs %s, which is no test", page, m[1])
			}
		}
	}
}

// isTest tells whether full, as in internal/mux.TestConn, is what a page calls
// name, in the room mux or internal/mux or, with none given, anywhere.
func isTest(full, room, name string) bool {
	if room == "" {
		return strings.HasSuffix(full, "."+name)
	}
	return strings.HasSuffix("/"+full, "/"+room+"."+name)
}

// declaredTests gives all tests, as in internal/mux.TestConn.
func declaredTests(t *testing.T) (tests []string) {
	t.Helper()
	code := files(t, ".", "_test.go")
	for _, file := range slices.Sorted(maps.Keys(code)) {
		for _, m := range declared.FindAllStringSubmatch(code[file], -1) {
			tests = append(tests, path.Dir(file)+"."+m[1])
		}
	}
	return tests
}

// files gives the contents of the files with this ending, by their paths; both
// dir and they are seen from the repository's root.
func files(t *testing.T, dir, ending string) map[string]string {
	t.Helper()
	root := os.DirFS("../..")
	all := map[string]string{}
	err := fs.WalkDir(root, dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == "build":
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ending):
			return nil
		}
		text, err := fs.ReadFile(root, path)
		all[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
