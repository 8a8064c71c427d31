package carrier

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/windows"
)

// askTime bounds the helper that presses keys.
const askTime = 3 * time.Second

// The keys, as arguments of the helper.
const (
	ctrlC     = "ctrl-c"
	ctrlBreak = "ctrl-break"
)

// askToEnd holds the process while the helper runs, so that its number stays its own.
func (t *tree) askToEnd(how asking) error {
	if len(t.asker) == 0 {
		return errors.ErrUnsupported
	}
	keys := map[asking]string{politely: ctrlC, firmly: ctrlBreak}[how]
	release, err := t.holdProcess()
	if err != nil {
		return err
	}
	defer release()
	return startAsker(t.asker, keys, t.pid)
}

func startAsker(command []string, keys string, pid int) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	args := append(command[1:len(command):len(command)], keys, strconv.Itoa(pid))
	return runHidden(ctx, windows.DETACHED_PROCESS, command[0], args)
}

// events are pressed for everybody at the console: nobody but the asked program and what it
// has started is there.
var events = map[string]uint32{ctrlC: windows.CTRL_C_EVENT, ctrlBreak: windows.CTRL_BREAK_EVENT}

func pressKeys(keys, process string) error {
	event, known := events[keys]
	if !known {
		return errors.New("press keys: there are no such ones")
	}
	pid, err := strconv.ParseUint(process, 10, 32)
	if err != nil {
		return fmt.Errorf("read process number: %w", err)
	}
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	kernel.NewProc("FreeConsole").Call() // its error says that there is none to leave
	if ok, _, err := kernel.NewProc("AttachConsole").Call(uintptr(pid)); ok == 0 {
		return fmt.Errorf("attach to console: %w", err)
	}
	// Not for us: from here on we ignore Ctrl-C.
	if ok, _, err := kernel.NewProc("SetConsoleCtrlHandler").Call(0, 1); ok == 0 {
		return fmt.Errorf("ignore keys: %w", err)
	}
	if err := windows.GenerateConsoleCtrlEvent(event, 0); err != nil {
		return fmt.Errorf("press keys: %w", err)
	}
	return nil
}
