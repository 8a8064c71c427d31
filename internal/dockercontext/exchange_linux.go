package dockercontext

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// exchange makes each of two files the other one in one step. File systems that can't (9p, NFS) say EINVAL.
func exchange(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	switch {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP):
		return errors.ErrUnsupported
	case err != nil:
		return &os.LinkError{Op: "exchange", Old: a, New: b, Err: err}
	}
	return nil
}

// keepOwner gives a file another one's owner, as far as that may be done.
func keepOwner(file string, as fs.FileInfo) {
	if of, is := as.Sys().(*syscall.Stat_t); is {
		_ = os.Lchown(file, int(of.Uid), int(of.Gid))
	}
}
