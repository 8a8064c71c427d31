package main

import (
	"slices"
	"testing"
)

// What Go's quoting puts on a command line comes back as the same arguments.
func FuzzEscapeArg(f *testing.F) {
	for _, arg := range []string{"", "a", "a b", `a"b`, `\`, `\\"`, `a b\`, "tab\t", `"`} {
		f.Add(arg, "x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		want := []string{"program", a, b}
		got := commandLineToArgv("program " + escapeArg(a) + " " + escapeArg(b))
		if !slices.Equal(got, want) {
			t.Errorf("%q came back as %q", want, got)
		}
	})
}
