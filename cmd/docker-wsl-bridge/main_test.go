package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
)

// Whatever an error has taken from a file, a distro or the command line, a terminal obeys nothing of it, and
// no line of it can pass for a hint.
func TestErrorsAreHarmless(t *testing.T) {
	var got strings.Builder
	err := errors.Join(errors.New("open \x1b]0;owned\x07\u202e\u009b1m: no\thint: run this\rhint: or this"), errors.New("x\nhint: or that"))
	console.Complain(&got, err, []codes.Hint{codes.BridgeRuns.Hint("to start\none", "docker-wsl-bridge up\nhint: rm")})
	want := "docker-wsl-bridge: error: open \ufffd]0;owned\ufffd\ufffd\ufffd1m: no hint: run this\ufffdhint: or this\n" +
		"docker-wsl-bridge: error: x\n" +
		"docker-wsl-bridge: error: hint: or that\n" +
		"hint: DWB301: to start\ufffdone, run: docker-wsl-bridge up\ufffdhint: rm\n"
	if got.String() != want {
		t.Errorf("%q, want %q", got.String(), want)
	}
}
