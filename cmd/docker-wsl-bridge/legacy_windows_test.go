package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervise"
)

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// What the earlier program gives a caller, it gives.
func TestLegacyExitCodes(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want int
		says string
	}{
		{"a child that ends", []string{"cli", child(t, "exit", "0")}, 0, ""},
		{"a child that fails", []string{"cli", child(t, "exit", "3")}, 0x20000003, ""},
		{"a child that is not there", []string{"cli", "no-such-program-anywhere.exe"}, 2, "error: start process: "},
		{"no child", []string{"cli"}, supervise.BadArguments, `[debug] [cli] "COMMAND LINE"`},
		{"two", []string{"cli", "a b", "c"}, supervise.BadArguments, `[debug] [cli] "COMMAND LINE"`},
		{"outside the service control manager", []string{child(t, "exit", "0")}, 1063, "run: docker-wsl-bridge cli "},
		{"a mistyped command", []string{"upp"}, exitUsage, `did you mean "up"?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // Wine takes 10 s to say that there is no service control manager
			cmd := exec.Command(*program, c.args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			var ended *exec.ExitError
			if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
				t.Fatal(err)
			}
			if got := cmd.ProcessState.ExitCode(); got != c.want || !strings.Contains(stderr.String(), c.says) {
				t.Errorf("exit code %#x, want %#x; stderr %q", got, c.want, stderr.String())
			}
			if c.says == "" && stderr.Len() > 0 {
				t.Errorf("stderr %q", stderr.String())
			}
		})
	}
}

// startProgram runs the program in a console of its own, where Ctrl-C can be pressed.
func startProgram(t *testing.T, args ...string) *carrier.Process {
	t.Helper()
	p, err := carrier.Start(carrier.Command{Path: *program, Args: args, Asker: []string{*program, supervise.PressKeys}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.CloseAfter(0) })
	return p
}

func TestLegacyCtrlCEndsTheChild(t *testing.T) {
	file := tempFiles(t)
	p := startProgram(t, "cli", child(t, "family", file("here")))
	pid, _ := process(t, file("here"))
	if !p.AskToEnd(patience) || p.ExitCode() != 0 {
		t.Errorf("exit code %d, %q", p.ExitCode(), p.Stderr())
	}
	waitGone(t, pid)
}

func TestLegacyKilledTakesItsFamilyAlong(t *testing.T) {
	file := tempFiles(t)
	cmd := exec.Command(*program, "cli", child(t, "family", file("here")))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid, _ := process(t, file("here"))
	cmd.Process.Kill()
	cmd.Wait()
	waitGone(t, pid)
}

func TestLegacyWaitsForADebugger(t *testing.T) {
	file := tempFiles(t)
	cmd := exec.Command(*program, "debug", "cli", child(t, "hold", file("here")))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "waiting for a debugger") {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := os.Stat(file("here")); err == nil {
		t.Error("the child was started before a debugger came")
	}
	debug(t, uint32(cmd.Process.Pid), func() bool {
		_, err := os.Stat(file("here"))
		return err == nil
	})
}

// debug is a debugger that lets a process run, until done.
func debug(t *testing.T, pid uint32, done func() bool) {
	t.Helper()
	const exception, breakpoint = 1, 0x80000003
	type event struct { // DEBUG_EVENT
		kind, process, thread, _ uint32
		exception                uint32
		_                        [39]uint32
	}
	runtime.LockOSThread() // a debugger is a thread
	defer runtime.UnlockOSThread()
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	if ok, _, err := kernel.NewProc("DebugActiveProcess").Call(uintptr(pid)); ok == 0 {
		t.Fatal("attach debugger:", err)
	}
	defer kernel.NewProc("DebugActiveProcessStop").Call(uintptr(pid))
	becomes(t, "what the process does under a debugger", func() bool {
		var e event
		if ok, _, _ := kernel.NewProc("WaitForDebugEvent").Call(uintptr(unsafe.Pointer(&e)), 10); ok != 0 {
			how := windows.NTStatus(0x00010002) // DBG_CONTINUE
			if e.kind == exception && e.exception != breakpoint {
				how = 0x80010001 // DBG_EXCEPTION_NOT_HANDLED
			}
			kernel.NewProc("ContinueDebugEvent").Call(uintptr(e.process), uintptr(e.thread), uintptr(how))
		}
		return done()
	})
}

func TestSuperviseCtrlC(t *testing.T) {
	file := tempFiles(t)
	p := startProgram(t, "supervise", "--", self(t), "play", "polite", file("here"), file("bye"))
	pid, _ := process(t, file("here"))
	if !p.AskToEnd(patience) || p.ExitCode() != 0 {
		t.Errorf("exit code %d, %q", p.ExitCode(), p.Stderr())
	}
	waitGone(t, pid)
	if said, _ := left(t, file("bye")); said != "bye" {
		t.Errorf("last words %q", said)
	}
}
