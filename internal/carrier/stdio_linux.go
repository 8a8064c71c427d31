package carrier

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

type stdio struct {
	in, out   *os.File
	closing   atomic.Bool
	closeOnce sync.Once
	closeErr  error
}

func (s *stdio) Read(b []byte) (int, error) {
	n, err := s.in.Read(b)
	return n, nameError("read", err, s.closing.Load())
}

func (s *stdio) Write(b []byte) (int, error) {
	n, err := s.out.Write(b)
	return n, nameError("write", err, s.closing.Load())
}

// Close is the end of both directions; what was written can still be read by the far end.
func (s *stdio) Close() error {
	s.closeOnce.Do(func() {
		s.closing.Store(true)
		s.closeErr = errors.Join(s.in.Close(), s.out.Close())
	})
	return s.closeErr
}

func takeStdio() (io.ReadWriteCloser, error) {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/null: %w", err)
	}
	defer unix.Close(null)
	in, err := takeDescriptor(0, null)
	if err != nil {
		return nil, fmt.Errorf("take stdin: %w", err)
	}
	out, err := takeDescriptor(1, null)
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("take stdout: %w", err)
	}
	return &stdio{in: in, out: out}, nil
}

// takeDescriptor moves fd to a number above 2 and leaves null in its place. The runtime's
// poller takes the file if it is non-blocking by then (os.NewFile); it refuses plain files, which
// then are read and written directly.
func takeDescriptor(fd, null int) (*os.File, error) {
	moved, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(moved, true); err != nil {
		unix.Close(moved)
		return nil, err
	}
	if err := unix.Dup3(null, fd, 0); err != nil {
		unix.Close(moved)
		return nil, err
	}
	return os.NewFile(uintptr(moved), "carrier"), nil
}
