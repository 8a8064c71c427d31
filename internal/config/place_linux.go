package config

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"golang.org/x/sys/unix"
)

func machineFile() string { return "/etc/" + dirName + "/" + fileName }

// openTrustedFile follows no link at the end, and looks at what it has opened.
func openTrustedFile(name string) (*os.File, error) {
	for dir := filepath.Dir(name); ; dir = filepath.Dir(dir) {
		var st unix.Stat_t
		if err := unix.Lstat(dir, &st); err != nil {
			return nil, &os.PathError{Op: "lstat", Path: dir, Err: err}
		}
		if err := judgeFileOwner(dir, st.Mode, st.Uid, unix.S_IFDIR); err != nil {
			return nil, err
		}
		if dir == "/" || dir == "." {
			break
		}
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err = unix.Fstat(int(f.Fd()), &st); err == nil {
		err = judgeFileOwner(name, st.Mode, st.Uid, unix.S_IFREG)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func judgeFileOwner(name string, mode, uid, kind uint32) error {
	switch {
	case mode&unix.S_IFMT != kind:
		return fmt.Errorf("%s is no directory or file of its own: %w", printable.Line(name), ErrUntrusted)
	case uid != 0:
		return fmt.Errorf("%s belongs to uid %d: %w", printable.Line(name), uid, ErrUntrusted)
	case mode&0o022 != 0:
		return fmt.Errorf("%s has mode %04o: %w", printable.Line(name), mode&0o7777, ErrUntrusted)
	}
	return nil
}
