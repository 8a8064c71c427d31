package dockercontext

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// exchange makes each of two files of a directory the other one in one step. File systems that can't (9p, NFS) say
// EINVAL.
func exchange(root *os.Root, a, b string) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	at := int(dir.Fd())
	switch err := unix.Renameat2(at, a, at, b, unix.RENAME_EXCHANGE); {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP):
		return errors.ErrUnsupported
	case err != nil:
		return &os.LinkError{Op: "exchange", Old: a, New: b, Err: err}
	}
	return nil
}

// keepOwner gives a file another one's owner, as far as that may be done.
func keepOwner(root *os.Root, name string, as fs.FileInfo) {
	if of, is := as.Sys().(*syscall.Stat_t); is {
		_ = root.Lchown(name, int(of.Uid), int(of.Gid))
	}
}
