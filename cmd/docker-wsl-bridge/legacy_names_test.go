package main

import (
	"strings"
	"testing"
)

// A command of ours must not be hidden by a word of the original's.
func TestNoCommandIsAWordOfTheOriginal(t *testing.T) {
	for _, name := range commandNames(rootCommand()) {
		if name == "debug" || name == "cli" || strings.ContainsAny(name, " \t") {
			t.Errorf("the command %q can't be reached", name)
		}
	}
}
