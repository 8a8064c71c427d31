package top

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

var readConsoleInput = windows.NewLazySystemDLL("kernel32.dll").NewProc("ReadConsoleInputW")

// setModes has the console obey sequences and keys come at once and unseen, and tells how to undo
// that. A console of before Windows 10 1511 knows no sequences.
func setModes(in, out *os.File) (restore func() error, keyed bool, err error) {
	screen, keys := windows.Handle(out.Fd()), windows.Handle(in.Fd())
	var screenBefore, keysBefore uint32
	if err := windows.GetConsoleMode(screen, &screenBefore); err != nil {
		return nil, false, ErrNoTerminal
	}
	if err := windows.SetConsoleMode(screen, screenBefore|windows.ENABLE_PROCESSED_OUTPUT|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING); err != nil {
		return nil, false, ErrNoTerminal
	}
	restore = func() error { return windows.SetConsoleMode(screen, screenBefore) }
	if windows.GetConsoleMode(keys, &keysBefore) != nil {
		return restore, false, nil // no keys
	}
	if err := windows.SetConsoleMode(keys, keysBefore&^(windows.ENABLE_LINE_INPUT|windows.ENABLE_ECHO_INPUT)|windows.ENABLE_PROCESSED_INPUT); err != nil {
		return nil, false, errors.Join(err, restore())
	}
	return func() error {
		return errors.Join(windows.SetConsoleMode(keys, keysBefore), windows.SetConsoleMode(screen, screenBefore))
	}, true, nil
}

// inputRecord is INPUT_RECORD with a KEY_EVENT_RECORD.
type inputRecord struct {
	kind   uint16
	_      uint16
	down   int32
	repeat uint16
	code   uint16
	scan   uint16
	char   uint16
	state  uint32
}

const keyEvent = 1

// readKey waits for something to happen, but not long: the mouse and a window's size are told, too.
func readKey(in *os.File) (key byte, pressed bool, err error) {
	console := windows.Handle(in.Fd())
	var n uint32
	if err := windows.GetNumberOfConsoleInputEvents(console, &n); err != nil {
		return 0, false, err
	}
	if n == 0 {
		_, err := windows.WaitForSingleObject(console, uint32(keyWait.Milliseconds()))
		return 0, false, err
	}
	var r inputRecord
	if ok, _, err := readConsoleInput.Call(uintptr(console), uintptr(unsafe.Pointer(&r)), 1, uintptr(unsafe.Pointer(&n))); ok == 0 {
		return 0, false, err
	}
	if r.kind != keyEvent || r.down == 0 || r.char == 0 || r.char > 0x7f {
		return 0, false, nil
	}
	return byte(r.char), true, nil
}

func sizeOf(out *os.File) (width, height int, err error) {
	var info windows.ConsoleScreenBufferInfo
	if err := windows.GetConsoleScreenBufferInfo(windows.Handle(out.Fd()), &info); err != nil {
		return 0, 0, err
	}
	return int(info.Window.Right-info.Window.Left) + 1, int(info.Window.Bottom-info.Window.Top) + 1, nil
}
