package carrier

import (
	"testing"

	"golang.org/x/sys/windows"
)

// waitGone waits for the end of a process that need not be our child.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return // gone already
	}
	defer windows.CloseHandle(h)
	if ev, _ := windows.WaitForSingleObject(h, uint32(patience.Milliseconds())); ev != windows.WAIT_OBJECT_0 {
		t.Fatalf("process %d is still there", pid)
	}
}
