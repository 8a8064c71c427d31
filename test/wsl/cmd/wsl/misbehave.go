package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// leftOverVariable names the distro in the environment of a left-over process.
const leftOverVariable = "WSL_STANDIN_LEFT_OVER"

// misbehave is wsl.exe's own part in the faults of a launch.
func misbehave(f wire.Faults, distro string) error {
	if len(f.Stdout) > 0 { // a write of no bytes is an event of its own
		os.Stdout.Write(f.Stdout)
	}
	if len(f.Stderr) > 0 {
		os.Stderr.Write(f.Stderr)
	}
	if !f.LeftOver {
		return nil
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find wsl.exe: %w", err)
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, exitVariable+"=") })
	p, err := os.StartProcess(program, []string{program}, &os.ProcAttr{
		Env:   append(env, leftOverVariable+"="+distro),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Sys:   detached(),
	})
	if err != nil {
		return fmt.Errorf("start left-over process: %w", err)
	}
	return p.Release()
}

// leftOver is a process like wslhost.exe: it has the standard handles of the
// wsl.exe that started it, uses none of them, and is there until its distro
// stops, of which it is a client.
func leftOver(service wire.Service, distro string) uint32 {
	conn, _, err := service.Request(wire.Request{Op: wire.OpClient, Distro: distro})
	if err != nil {
		return failed
	}
	io.Copy(io.Discard, conn)
	return 0
}
