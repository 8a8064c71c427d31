// Command wsl is the stand-in for wsl.exe. It builds as a Windows program, which
// runs under Wine, and as a Linux program that tests put on PATH as wsl.exe.
//
// It finds its VM by WSL_STANDIN=ADDRESS/TOKEN, as the real one finds the WSL
// service. WSL_STANDIN_EXIT names a file for the exit code a Windows caller
// would see, since Linux keeps only eight bits of it; WSL_STANDIN_RAW replaces
// the command line by one raw string. All else is as the real one does it,
// wherever the program at the other end of the pipes can tell.
//
// It does not know what runs in a distro, nor does it look at a byte it copies.
//
// Its law: it copies in hops of 4096 bytes, it ends when the interop channel
// says so or breaks, and then only after stdout and stderr have been drained.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// failed is the exit code of wsl.exe's own errors (-1), so that callers can tell
// them from a Linux program's.
const failed = 0xFFFFFFFF

func main() {
	ignoreBrokenPipes()
	code := run(rawCommandLine(), os.Stdout)
	if file := os.Getenv("WSL_STANDIN_EXIT"); file != "" {
		if err := os.WriteFile(file, []byte(strconv.FormatUint(uint64(code), 10)), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "stand-in:", err)
		}
	}
	os.Exit(int(int32(code)))
}

// run does what the command line says and returns the exit code.
func run(raw string, stdout io.Writer) uint32 {
	p := printer{w: stdout, utf8: os.Getenv("WSL_UTF8") == "1"}
	vm, err := findVM(os.Getenv("WSL_STANDIN"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "stand-in:", err)
		return failed
	}
	cmd, fault := parse(raw)
	if fault != "" {
		// The real parser asks the service at -d, before it reads on.
		if cmd.distro != "" && !vm.has(cmd.distro) {
			fault = messages[wire.ErrDistroNotFound]
		}
		p.print(fault)
		return failed
	}
	switch cmd.op {
	case wire.OpList:
		return list(vm, cmd, p)
	case wire.OpTerminate:
		return terminate(vm, cmd, p)
	}
	return launch(vm, cmd, p)
}

// list prints the names of the distros, the default one first.
func list(vm vm, cmd command, p printer) uint32 {
	if !cmd.quiet {
		p.print("stand-in: of --list only --list --quiet is there")
		return failed
	}
	reply, err := vm.ask(wire.Request{Op: wire.OpList})
	if err != nil {
		return p.fail(err)
	}
	if len(reply.Names) > 0 {
		p.print(strings.Join(reply.Names, "\n"))
	}
	return 0
}

// terminate stops a distro at once.
func terminate(vm vm, cmd command, p printer) uint32 {
	if _, err := vm.ask(wire.Request{Op: wire.OpTerminate, Distro: cmd.distro}); err != nil {
		return p.fail(err)
	}
	p.print("The operation completed successfully.")
	return 0
}

// launch runs a process in a distro.
func launch(vm vm, cmd command, p printer) uint32 {
	code, err := vm.launch(wire.Request{Op: wire.OpLaunch, Distro: cmd.distro, Launch: cmd.process()})
	if err != nil {
		return p.fail(err)
	}
	switch code {
	case wire.ExitUserNotFound:
		p.print(msgUserNotFound)
		return failed
	case wire.ExitTTYLimit:
		p.print(msgTTYLimit)
		return failed
	}
	return code
}
