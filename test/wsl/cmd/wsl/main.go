// Command wsl is the stand-in for wsl.exe. It builds as a Windows program, which
// runs under Wine, and as a Linux program that tests put on PATH as wsl.exe.
//
// It finds its VM by WSL_STANDIN=ADDRESS/TOKEN, as the real one finds the WSL
// service, or by the same in a file standin beside it, for who starts it without
// our environment: a service. WSL_STANDIN_EXIT names a file for the exit code a Windows caller
// would see, since Linux keeps only eight bits of it; WSL_STANDIN_RAW replaces
// the command line by one raw string; WSL_STANDIN_STUB makes it the wsl.exe of a
// Windows without WSL. All else is as the real one does it, wherever the program
// at the other end of the pipes can tell.
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
	"path/filepath"
	"strconv"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// failed is the exit code of wsl.exe's own errors (-1), so that callers can tell
// them from a Linux program's.
const failed = 0xFFFFFFFF

// exitVariable names the file for the exit code.
const exitVariable = "WSL_STANDIN_EXIT"

func main() {
	ignoreBrokenPipes()
	code := run(rawCommandLine(), os.Stdout)
	if file := os.Getenv(exitVariable); file != "" {
		if err := os.WriteFile(file, []byte(strconv.FormatUint(uint64(code), 10)), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "stand-in:", err)
		}
	}
	os.Exit(int(int32(code)))
}

// standIn is where the VM is.
func standIn() string {
	if place, ok := os.LookupEnv("WSL_STANDIN"); ok {
		return place
	}
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	place, _ := os.ReadFile(filepath.Join(filepath.Dir(exe), "standin")) // none is told by its use
	return string(place)
}

// run does what the command line says and returns the exit code.
func run(raw string, stdout io.Writer) uint32 {
	p := printer{w: stdout, utf8: os.Getenv("WSL_UTF8") == "1"}
	if kind := os.Getenv(stubVariable); kind != "" {
		return stub(kind, p)
	}
	service, err := wire.FindService(standIn())
	if err != nil {
		fmt.Fprintln(os.Stderr, "stand-in: WSL_STANDIN:", err)
		return failed
	}
	if distro, ok := os.LookupEnv(leftOverVariable); ok {
		return leftOver(service, distro)
	}
	cmd, fault := parse(raw)
	if fault != "" {
		// The real parser asks the service at -d, before it reads on.
		if cmd.distro != "" && !has(service, cmd.distro) {
			fault = messages[wire.ErrDistroNotFound]
		}
		p.print(fault)
		return failed
	}
	switch cmd.op {
	case wire.OpList:
		return list(service, cmd.list, p)
	case wire.OpTerminate:
		return do(service, wire.Request{Op: cmd.op, Distro: cmd.distro}, "The operation completed successfully.", p)
	case wire.OpShutdown:
		return do(service, wire.Request{Op: cmd.op}, "", p)
	case opStatus:
		return status(service, p)
	case opVersion:
		p.print(msgVersion)
		return 0
	}
	return launch(service, cmd, p)
}

// do does a request that ends with a text, or with none.
func do(service wire.Service, r wire.Request, done string, p printer) uint32 {
	if _, err := service.Ask(r); err != nil {
		return p.fail(err)
	}
	if done != "" {
		p.print(done)
	}
	return 0
}

// status prints the defaults, and that there is no WSL 1 here.
func status(service wire.Service, p printer) uint32 {
	reply, err := service.Ask(wire.Request{Op: wire.OpList})
	if err != nil {
		return p.fail(err)
	}
	if len(reply.Distros) > 0 {
		p.print("Default Distribution: " + reply.Distros[0].Name)
	}
	p.print("Default Version: 2")
	p.print(msgNoVersion1)
	return 0
}

// launch runs a process in a distro.
func launch(service wire.Service, cmd command, p printer) uint32 {
	code, err := start(service, wire.Request{Op: wire.OpLaunch, Distro: cmd.distro, Launch: cmd.process()})
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
