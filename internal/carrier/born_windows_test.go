package carrier

import (
	"os/exec"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A process is in its job before its first instruction, so that no host that is killed leaves one behind,
// however short it lives: closing the job, which the system does for a dead host, ends one that has not begun.
func TestProcessesAreBornInTheirJob(t *testing.T) {
	inJob := windows.NewLazySystemDLL("kernel32.dll").NewProc("IsProcessInJob")
	for name, cmd := range map[string]*exec.Cmd{"with stdio": self("cat"), "without": self("cat")} {
		b, err := bornFrom(cmd, windows.CREATE_NO_WINDOW|windows.CREATE_SUSPENDED)
		if err != nil {
			t.Fatal(err)
		}
		if name == "with stdio" {
			for _, toChild := range []bool{true, false, false} {
				our, their, err := newPipe(toChild)
				if err != nil {
					t.Fatal(err)
				}
				defer our.Close()
				defer their.Close()
				b.stdio = append(b.stdio, their)
			}
		}
		job, err := newJob()
		if err != nil {
			t.Fatal(err)
		}
		n, err := b.startInJob(job)
		if err != nil {
			t.Fatal(err)
		}
		defer windows.CloseHandle(n.handle)
		var is int32
		if ok, _, err := inJob.Call(uintptr(n.handle), uintptr(job), uintptr(unsafe.Pointer(&is))); ok == 0 || is == 0 {
			t.Errorf("%s: it is not in the job: %v", name, err)
		}
		windows.CloseHandle(job)
		waitGone(t, n.pid)
	}
}
