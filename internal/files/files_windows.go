package files

import (
	"errors"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/windows"
)

// openShared shares deletion, too, which os.Open does not (syscall_windows.go of Go 1.26).
func openShared(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	const all = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, windows.GENERIC_READ, all, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// held are the errors of a file that somebody has open, that a program runs from, or that is removed and still
// open. Windows calls some of these "access denied", as it does what stays denied.
var held = []syscall.Errno{
	windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION, windows.ERROR_ACCESS_DENIED, windows.ERROR_USER_MAPPED_FILE,
	windows.ERROR_DELETE_PENDING,
}

func isHeld(err error) bool {
	var no syscall.Errno
	return errors.As(err, &no) && slices.Contains(held, no)
}
