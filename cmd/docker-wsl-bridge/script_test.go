package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"docker-wsl-bridge": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// The stories of the command line that need no WSL; those that do are in
// test/e2e. Each is a file of testdata/script.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", UpdateScripts: os.Getenv("UPDATE") != ""})
}
