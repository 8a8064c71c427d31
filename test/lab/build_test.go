package lab_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

const sample = "./test/lab/testdata/program"

// A program that another test may be running is left alone when it is up to
// date: go build alone would write into it.
func TestBuildLeavesUpToDateProgramAlone(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	look := func() (string, os.FileInfo) {
		t.Helper()
		out, err := lab.Build(ctx, "linux", sample)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(out)
		if err != nil {
			t.Fatal(err)
		}
		return out, info
	}
	out, one := look()
	if _, two := look(); !os.SameFile(one, two) || !one.ModTime().Equal(two.ModTime()) {
		t.Error("it was written again")
	}
	if err := lab.Outdate(out); err != nil {
		t.Fatal(err)
	}
	if _, two := look(); !os.SameFile(one, two) || !one.ModTime().Equal(two.ModTime()) {
		t.Error("it was written again with the same content")
	}
	if err := os.WriteFile(out+".old", []byte("old"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(out+".old", out); err != nil {
		t.Fatal(err)
	}
	if err := lab.Outdate(out); err != nil {
		t.Fatal(err)
	}
	if _, three := look(); three.Size() != one.Size() {
		t.Error("an old one was not replaced")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "new-*")); len(left) > 0 {
		t.Errorf("left beside it: %v", left)
	}
}

// What differs in the sources is another build, and what is no source is not.
func TestSourcesAreTold(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module sample")
	write("a/a.go", "package a")
	was := lab.Sources(dir)
	for _, c := range []struct {
		name, text                string
		product, program, testToo bool // whether it is another one then
	}{
		{"docs/page.md", "text", false, false, false},
		{"a/README.md", "text", false, false, false},
		{"build/out.go", "package out", false, false, false},
		{"a/a_test.go", "package a", false, false, true},
		{"test/front/main.go", "package main", false, true, true},
		{"internal/deploy/agents/agent.gz", "packed", false, true, true},
		{"a/a.go", "package b // longer", true, true, true},
		{"go.mod", "module other", true, true, true},
	} {
		write(c.name, c.text)
		is := lab.Sources(dir)
		for i, differs := range []bool{c.product, c.program, c.testToo} {
			if got := is[i] != was[i]; got != differs {
				t.Errorf("%s: of product, program and test number %d differs: %v", c.name, i, got)
			}
		}
		was = is
	}
}
