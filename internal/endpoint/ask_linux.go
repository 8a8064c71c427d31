package endpoint

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// question is what is asked of a socket about what it holds, before any of it is taken. It has room for
// the kernel's structures, which would cost memory for each Read.
type question struct {
	vector  unix.Iovec
	message unix.Msghdr
	poll    unix.PollFd
	now     unix.Timespec
}

// peekBytes reads without taking, and never waits. rights tells whether descriptors came with the last bytes: the
// kernel closes those when their first byte is taken.
func (q *question) peekBytes(fd int, b []byte) (n int, rights bool, err error) {
	q.vector = unix.Iovec{Base: &b[0]}
	q.vector.SetLen(len(b))
	q.message = unix.Msghdr{Iov: &q.vector}
	q.message.SetIovlen(1)
	for {
		r, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&q.message)), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		if errno == unix.EINTR {
			continue
		}
		q.vector.Base = nil
		if errno != 0 {
			return 0, false, errno
		}
		return int(r), q.message.Flags&unix.MSG_CTRUNC != 0, nil // there is no room for them
	}
}

// hasUrgentData tells whether urgent data is in the socket (POLLPRI, unix_poll in net/unix/af_unix.c).
func (q *question) hasUrgentData(fd int) bool {
	q.poll = unix.PollFd{Fd: int32(fd), Events: unix.POLLPRI}
	for {
		_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&q.poll)), 1, uintptr(unsafe.Pointer(&q.now)), 0, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		return errno == 0 && q.poll.Revents&unix.POLLPRI != 0
	}
}
