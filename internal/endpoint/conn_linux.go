package endpoint

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxHeld is the longest message whose last byte is held back. A held byte keeps its whole
// buffer in the kernel charged to its sender, and a sender that polls is told to write
// only while it owes less than a quarter of its send buffer (unix_writable in
// net/unix/af_unix.c). A buffer of 1.5 KiB counts as 2,368 bytes: only a sender that has
// cut its send buffer of 212,992 bytes down to less than 9,472 could wait for ever.
const maxHeld = 1536

// unixConn is a connected unix socket that can end in two ways, as a TCP connection can:
// Close is the end of the stream to the far side, Reset an error.
//
// The kernel knows the difference, but not by a call: a socket that is closed while
// received bytes are unread gives its peer ECONNRESET, and any other an end of stream (unix_release_sock). So
// Close takes what is unread, and Read leaves the last byte of what it returns in the
// socket until the next ones come. A process that is killed resets its
// connections that way, too.
//
// What is left there was looked at before, so both reads must see the same bytes. They do but for
// urgent data (MSG_OOB): a plain read drops the urgent byte, and one that looks behind a held byte takes it for
// another. From the first urgent byte on nothing is held any more, and a program at
// the other end of the bridge gets what it would read from the socket.
type unixConn struct {
	*net.UnixConn
	raw    syscall.RawConn
	closed atomic.Bool

	reading sync.Mutex
	held    bool // the last byte that Read returned is still in the socket
	drained bool // the last Read left no other: what comes next is a message of its own
	plain   bool // urgent data has come: nothing is looked at or held any more

	// The call under way, and what makes it: a function made for each Read would cost
	// memory each time.
	into []byte
	got  int
	err  error
	try  func(fd uintptr) (done bool)
	ask  question
}

func newUnixConn(c *net.UnixConn) (net.Conn, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	var peekErr error
	err = raw.Control(func(fd uintptr) { // MSG_PEEK goes on behind the held byte
		peekErr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PEEK_OFF, 0)
	})
	if err != nil || peekErr != nil {
		return c, nil // it works without, but for Reset
	}
	u := &unixConn{UnixConn: c, raw: raw, drained: true}
	u.try = func(fd uintptr) bool {
		u.got, u.err = u.takeHoldingLast(int(fd), u.into)
		return u.err != unix.EAGAIN
	}
	return u, nil
}

func (c *unixConn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return c.UnixConn.Read(b)
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	c.into = b
	waitErr := c.raw.Read(c.try)
	c.into = nil
	n, err := c.got, c.err
	switch {
	case waitErr != nil:
		return 0, waitErr
	case c.closed.Load(): // which takes what it finds, so that ours may have a hole
		return 0, net.ErrClosed
	case err != nil:
		return 0, &net.OpError{Op: "read", Net: "unix", Addr: c.LocalAddr(), Err: os.NewSyscallError("recvfrom", err)}
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// takeHoldingLast reads what there is behind the held byte. A short message is looked at first, and
// then taken but for its last byte.
func (c *unixConn) takeHoldingLast(fd int, b []byte) (int, error) {
	if c.plain {
		return c.takePlainly(fd, b)
	}
	look := b[:min(len(b), maxHeld+1)]
	n, rights, err := c.ask.peekBytes(fd, look)
	if err != nil || n == 0 {
		c.drained = c.drained || err == unix.EAGAIN
		return n, err
	}
	if !c.drained || n == len(look) || rights { // a held byte would keep descriptors open
		return c.takeWithoutHolding(fd, b, n)
	}
	// The kernel forgets urgent data only when it is read: if there is none now, there was none then.
	if c.plain = c.ask.hasUrgentData(fd); c.plain {
		return c.takePlainly(fd, b)
	}
	last := b[n-1]
	if !c.held {
		c.held = true
		return n, takeSeenBytes(fd, b[:n-1])
	}
	err = takeSeenBytes(fd, b[:n]) // the one that was held, and all but the last of these
	copy(b, b[1:n])
	b[n-1] = last
	return n, err
}

// takePlainly reads as any program does.
func (c *unixConn) takePlainly(fd int, b []byte) (int, error) {
	if err := c.takeHeldByte(fd, b); err != nil {
		return 0, err
	}
	return receiveWithoutWaiting(fd, b, 0)
}

// takeHeldByte takes the held byte, into any byte.
func (c *unixConn) takeHeldByte(fd int, b []byte) error {
	if !c.held {
		return nil
	}
	_, err := receiveWithoutWaiting(fd, b[:1], 0)
	c.held = err != nil
	return err
}

// takeSeenBytes takes bytes that are known to be there, in several calls if it must be.
func takeSeenBytes(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := receiveWithoutWaiting(fd, b, 0)
		if n <= 0 || err != nil {
			return unix.EPIPE // Close was quicker
		}
		b = b[n:]
	}
	return nil
}

func (c *unixConn) takeWithoutHolding(fd int, b []byte, seen int) (int, error) {
	if err := c.takeHeldByte(fd, b); err != nil {
		return 0, err
	}
	n, err := receiveWithoutWaiting(fd, b, 0)
	c.drained = n < len(b)
	if err == nil && n < seen {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEEK_OFF, 0) // else it would go on too far behind
	}
	return n, err
}

// receiveWithoutWaiting never waits. unix.Recvfrom would do, but makes room for an address each time.
func receiveWithoutWaiting(fd int, b []byte, flags int) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
			uintptr(flags|unix.MSG_DONTWAIT), 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
			continue
		}
		return 0, errno
	}
}

// maxApart is what a message of WriteApart holds at most: the kernel takes it whole or not at all.
const maxApart = 1 << 10

// WriteApart writes b, behind whose end a read of the far side's ends, whatever is written next and whenever it reads, if
// it has room for maxApart bytes.
//
// A descriptor comes with the last bytes, of /dev/null: the kernel ends a read behind such a message
// (unix_stream_read_generic in net/unix/af_unix.c), and closes the descriptor for a reader that asks for none. Where that is not to be had, b is written as by Write.
func (c *unixConn) WriteApart(b []byte) (int, error) {
	before := max(0, len(b)-maxApart)
	n, err := c.UnixConn.Write(b[:before])
	if err != nil {
		return n, err
	}
	n += c.writeWithDescriptor(b[before:])
	more, err := c.UnixConn.Write(b[n:])
	return n + more, err
}

// writeWithDescriptor returns how much it has written: all, or nothing.
func (c *unixConn) writeWithDescriptor(b []byte) int {
	mark, err := os.Open(os.DevNull)
	if err != nil {
		return 0
	}
	defer mark.Close()
	n, _, err := c.UnixConn.WriteMsgUnix(b, unix.UnixRights(int(mark.Fd())), nil)
	if err != nil {
		return 0 // if it is the connection that fails, the next Write tells
	}
	return n
}

// CloseRead makes the far side's writes fail. What was unread is dropped but for its last
// byte: a sender that polls is not woken by the shutdown, only by room in its buffer.
func (c *unixConn) CloseRead() error {
	err := c.UnixConn.CloseRead()
	c.reading.Lock() // a Read has come to its end
	defer c.reading.Unlock()
	_ = c.raw.Control(func(fd uintptr) { // fails if it is closed
		left, _ := unix.IoctlGetInt(int(fd), unix.SIOCINQ)
		for b := make([]byte, 4096); left > 1; {
			n, err := receiveWithoutWaiting(int(fd), b[:min(left-1, len(b))], 0)
			if n == 0 || err != nil {
				return
			}
			left -= n
		}
	})
	return err
}

// Close is an end of stream to the far side, whatever of its bytes was not read.
func (c *unixConn) Close() error {
	c.closed.Store(true)
	_ = c.raw.Control(func(fd uintptr) { // fails if it is closed
		// From here on the far side can't send, so that there is an end to what is dropped.
		_ = unix.Shutdown(int(fd), unix.SHUT_RDWR)
		b := make([]byte, 4096)
		for n, err := 1, error(nil); n > 0 && err == nil; n, err = receiveWithoutWaiting(int(fd), b, 0) {
		}
	})
	return c.UnixConn.Close()
}

// AwaitHangUp returns true when the far side has closed both directions, and false when the
// connection was closed here. It is for who has read to the end. (unix_poll in net/unix/af_unix.c
// reports POLLHUP when both are shut down: a far side that has ended its output alone is no hang-up.)
func (c *unixConn) AwaitHangUp() bool {
	err := c.raw.Read(isHungUp)
	return err == nil && !c.closed.Load()
}

// HungUp tells whether the far side has closed both directions, or the connection was closed here. It is for who
// does not read at the moment.
func (c *unixConn) HungUp() (is bool) {
	err := c.raw.Control(func(fd uintptr) { is = isHungUp(fd) })
	return is || err != nil
}

func isHungUp(fd uintptr) bool {
	poll := []unix.PollFd{{Fd: int32(fd)}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0 && poll[0].Revents&unix.POLLHUP != 0
}

// Reset closes the connection as failed: once the far side has read what was written it
// gets ECONNRESET. If it had sent nothing yet, or the end of something long, it gets an
// end of stream: the kernel has no other way.
func (c *unixConn) Reset() error {
	c.closed.Store(true)
	return c.UnixConn.Close()
}
