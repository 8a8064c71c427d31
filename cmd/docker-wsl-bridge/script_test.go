package main

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "play" {
		os.Exit(play(os.Args[2], os.Args[3:]))
	}
	if noStories(os.Args) {
		os.Exit(m.Run())
	}
	testscript.Main(m, map[string]func(){
		"docker-wsl-bridge": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// The stories of the command line that need no WSL; those that do are in
// test/e2e. Each is a file of testdata/script.
func TestStories(t *testing.T) {
	schema, err := filepath.Abs("../../docs/config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: os.Getenv("UPDATE") != "",
		Setup: func(e *testscript.Env) error {
			// Never those of who runs the tests.
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
			e.Setenv("SCHEMA", schema)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"await": await, "hear": hear, "unzip": unzip},
	})
}

// await PATTERN [COUNT] waits until so many files, or one, match.
func await(ts *testscript.TestScript, _ bool, args []string) {
	count := 1
	if len(args) == 2 {
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		count = n
	}
	until(ts, args, func() bool {
		files, err := filepath.Glob(args[0])
		ts.Check(err)
		return len(files) >= count
	})
}

// hear FILE TEXT waits until a file has the text.
func hear(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, args, func() bool {
		b, _ := os.ReadFile(ts.MkAbs(args[0]))
		return strings.Contains(string(b), args[1])
	})
}

// unzip FILE DIR lays a zip's files out.
func unzip(ts *testscript.TestScript, _ bool, args []string) {
	z, err := zip.OpenReader(ts.MkAbs(args[0]))
	ts.Check(err)
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		ts.Check(err)
		b, err := io.ReadAll(r)
		ts.Check(err)
		path := filepath.Join(ts.MkAbs(args[1]), filepath.FromSlash(f.Name))
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
		ts.Check(os.WriteFile(path, b, 0o644))
	}
}

func until(ts *testscript.TestScript, what []string, holds func() bool) {
	const bound = 20 * time.Second
	for end := time.Now().Add(bound); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("waited %v for %q", bound, what)
		}
	}
}
