package top

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// setModes has keys come at once and unseen, and tells how to undo that. Keys that would stop or
// end the program without a word leave no time to give the terminal back, and are but keys.
func setModes(in, out *os.File) (restore func() error, keyed bool, err error) {
	if _, err := unix.IoctlGetTermios(int(out.Fd()), unix.TCGETS); err != nil {
		return nil, false, ErrNoTerminal
	}
	fd := int(in.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() error { return nil }, false, nil // no keys
	}
	now := *before
	now.Lflag &^= unix.ICANON | unix.ECHO
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 1, 0
	now.Cc[unix.VSUSP], now.Cc[unix.VQUIT] = 0, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &now); err != nil {
		return nil, false, err
	}
	return func() error { return unix.IoctlSetTermios(fd, unix.TCSETSF, before) }, true, nil
}

// readKey waits for a key, but not long.
func readKey(in *os.File) (key byte, pressed bool, err error) {
	fds := []unix.PollFd{{Fd: int32(in.Fd()), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(keyWait.Milliseconds()))
	switch {
	case errors.Is(err, unix.EINTR) || err == nil && n == 0:
		return 0, false, nil
	case err != nil:
		return 0, false, err
	}
	var b [1]byte
	switch n, err := unix.Read(int(in.Fd()), b[:]); {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return 0, false, nil
	case err != nil:
		return 0, false, err
	case n == 0:
		return 0, false, io.EOF
	}
	return b[0], true, nil
}

func sizeOf(out *os.File) (width, height int, err error) {
	size, err := unix.IoctlGetWinsize(int(out.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0, err
	}
	return int(size.Col), int(size.Row), nil
}
