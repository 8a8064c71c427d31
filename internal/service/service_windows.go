package service

import (
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

// accepted is what the SCM may ask for, by state. A shutdown needs no control of its own:
// the one before it comes first.
var accepted = map[state]svc.Accepted{
	running: svc.AcceptStop | svc.AcceptPreShutdown | svc.AcceptSessionChange | svc.AcceptPowerEvent,
}

var states = map[state]svc.State{startPending: svc.StartPending, running: svc.Running, stopPending: svc.StopPending}

var controls = map[svc.Cmd]control{
	svc.Stop: stop, svc.PreShutdown: stop, svc.Interrogate: interrogate,
	svc.PowerEvent: power, svc.SessionChange: session,
}

func runService(body Body) error {
	// The name counts only in a process of several services.
	if err := svc.Run("docker-wsl-bridge", handler{body}); err != nil {
		return fmt.Errorf("reach the service control manager: %w", err)
	}
	return nil
}

type handler struct{ body Body }

// Execute is the service, as golang.org/x/sys has it. It must take controls as long as it
// lives: the thread that brings one waits until it is taken.
func (h handler) Execute(_ []string, in <-chan svc.ChangeRequest, out chan<- svc.Status) (specific bool, code uint32) {
	requests, ended := make(chan request), make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case c := <-in:
				select {
				case requests <- request{controls[c.Cmd], c.EventType}:
				case <-ended:
					return
				}
			case <-ended:
				return
			}
		}
	}()
	return false, serveBody(requests, func(s status) {
		out <- svc.Status{
			State: states[s.state], Accepts: accepted[s.state],
			CheckPoint: s.checkpoint, WaitHint: uint32(s.hint.Milliseconds()),
		}
	}, h.body)
}

// startedByManager looks at the parent alone. svc.IsWindowsService asks also whether that is in
// session 0, which the SCM under Wine is not.
func startedByManager() bool {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return false
	}
	defer windows.CloseHandle(snapshot)
	parent := uint32(os.Getppid())
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		if entry.ProcessID == parent {
			return strings.EqualFold(windows.UTF16ToString(entry.ExeFile[:]), "services.exe")
		}
	}
	return false
}
