package main

import (
	"errors"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// pendingTick is how long poll waits while the child has not taken all input.
const pendingTick = 100 * time.Millisecond

const readable = unix.POLLIN | unix.POLLHUP | unix.POLLERR

// errLeave ends the relay.
var errLeave = errors.New("leave relay")

// run is the loop.
func (r *relay) run() {
	r.watch(pollStdin, r.sockets[wire.Stdin])
	r.watch(pollStdout, r.outputs[wire.Stdout])
	r.watch(pollStderr, r.outputs[wire.Stderr])
	r.watch(pollMaster, r.master)
	r.watch(pollChild, r.sigchld)
	r.watch(pollTerminal, r.sockets[wire.Terminal])
	for r.step() == nil {
	}
}

func (r *relay) watch(slot, fd int) {
	r.polled[slot] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
}

func (r *relay) drop(slot int) { r.polled[slot].Fd = -1 }

func (r *relay) ready(slot int, events int16) bool {
	return r.polled[slot].Fd >= 0 && r.polled[slot].Revents&events != 0
}

// step is one pass. moved is what the last write of the pass moved; as long as
// it is not nothing, signals and the terminal channel have to wait: so all output
// is out before the exit status is.
func (r *relay) step() error {
	moved := r.addFlood()
	r.poll()
	if len(r.pending) > 0 {
		moved = r.retryInput()
	}
	if r.ready(pollStdin, readable) && len(r.pending) == 0 {
		n, err := r.input()
		if err != nil {
			return err
		}
		if n != 0 {
			moved = n
		}
	}
	for _, slot := range []int{pollStdout, pollStderr} {
		if r.ready(slot, readable) {
			if n := r.output(slot); n != 0 {
				moved = n
			}
		}
	}
	if r.ready(pollMaster, readable) {
		n, err := r.terminalOutput()
		if err != nil {
			return err
		}
		if n != 0 {
			moved = n
		}
	}
	if moved > 0 {
		return nil
	}
	if r.ready(pollChild, unix.POLLIN) {
		if err := r.reap(); err != nil {
			return err
		}
	}
	if r.ready(pollTerminal, unix.POLLIN) {
		return r.terminalMessage()
	}
	return nil
}

// poll waits. An interruption, which a process with a signalfd never sees, is
// waited through.
func (r *relay) poll() {
	timeout := -1
	deadline := time.Now().Add(pendingTick)
	for {
		switch {
		case r.flood > 0:
			timeout = 0
		case len(r.pending) > 0:
			timeout = max(0, int(time.Until(deadline).Milliseconds()))
		}
		if _, err := unix.Poll(r.polled[:], timeout); err != unix.EINTR {
			return
		}
	}
}

// retryInput offers the pending input again. An error other than a full pipe is
// only logged by WSL, and the input stays pending.
func (r *relay) retryInput() int {
	n, err := retried(func() (int, error) { return unix.Write(r.stdin, r.pending) })
	switch {
	case n > 0:
		r.pending = r.pending[n:]
	case err == unix.EPIPE && r.faults.DropInput:
		r.pending = nil
		r.closeInput()
	}
	return n
}

// input takes one buffer from wsl.exe to the child. A child that has closed its
// input ends the relay on the spot, without an exit status and before the output
// of this pass is read.
func (r *relay) input() (int, error) {
	n, err := r.receive(wire.Stdin)
	if err != nil {
		return 0, errLeave
	}
	if n == 0 {
		if r.faults.EIO && !r.childOut {
			return 0, errLeave
		}
		r.closeInput()
		r.drop(pollStdin)
		if r.console[wire.Stdin] && r.master >= 0 {
			unix.Close(r.master)
			r.master = -1
			r.drop(pollMaster)
		}
		return 0, nil
	}
	if r.stdin < 0 {
		return n, nil // dropped
	}
	moved, err := retried(func() (int, error) { return unix.Write(r.stdin, r.buf[:n]) })
	switch {
	case err == unix.EPIPE && r.faults.DropInput:
		r.closeInput()
		return n, nil
	case err == unix.EAGAIN:
		r.pending = append([]byte(nil), r.buf[:n]...)
		return moved, nil
	case err != nil:
		return 0, errLeave
	case moved < n:
		r.pending = append([]byte(nil), r.buf[moved:n]...)
	}
	return moved, nil
}

func (r *relay) closeInput() {
	if r.stdin >= 0 {
		unix.Close(r.stdin)
		r.stdin = -1
	}
}

// receive reads from a socket into the buffer. A reset is what TCP makes of a
// client that died with bytes unread; an hvsocket shows an end. After the child's
// end the socket is shut down: an hvsocket then drops what it holds, TCP does not.
func (r *relay) receive(socket int) (int, error) {
	if socket == wire.Stdin && r.childOut {
		return 0, nil
	}
	n, err := retried(func() (int, error) { return unix.Read(r.sockets[socket], r.buf) })
	if err == unix.ECONNRESET {
		return 0, nil
	}
	return n, err
}

// output takes one buffer of the child's output or error to wsl.exe.
func (r *relay) output(slot int) int {
	fd := int(r.polled[slot].Fd)
	n, _ := retried(func() (int, error) { return unix.Read(fd, r.buf) })
	if n <= 0 {
		r.drop(slot)
		unix.Shutdown(r.sockets[slot], unix.SHUT_WR)
		return 0
	}
	if err := r.send(slot, r.buf[:n]); err != nil {
		if err == unix.EPIPE {
			unix.Close(fd) // from now on the child's writes fail
			r.drop(slot)
		}
		return -1
	}
	return n
}

// send writes all of b, and blocks until it has. A TCP socket takes one more
// write after its peer has closed, an hvsocket none: hence the look before.
func (r *relay) send(socket int, b []byte) error {
	fd := r.sockets[socket]
	var peek [1]byte
	n, _, err := unix.Recvfrom(fd, peek[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	if err == unix.ECONNRESET || err == nil && n == 0 {
		return unix.EPIPE
	}
	for len(b) > 0 {
		n, err := retried(func() (int, error) { return unix.Write(fd, b) })
		if err == unix.ECONNRESET {
			return unix.EPIPE
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// terminalOutput takes what the child wrote to its terminal to the first of
// output and error that is on it.
func (r *relay) terminalOutput() (int, error) {
	n, err := retried(func() (int, error) { return unix.Read(r.master, r.buf) })
	if n == 0 || err == unix.EIO { // EIO: nobody has the terminal open any more
		r.drop(pollMaster)
		for _, i := range []int{wire.Stdout, wire.Stderr} {
			if r.console[i] {
				unix.Shutdown(r.sockets[i], unix.SHUT_WR)
			}
		}
		return 0, nil
	}
	if err != nil {
		return 0, errLeave
	}
	switch {
	case r.console[wire.Stdout]:
		err = r.send(wire.Stdout, r.buf[:n])
	case r.console[wire.Stderr]:
		err = r.send(wire.Stderr, r.buf[:n])
	default:
		return 0, nil // written to /dev/tty with all three on pipes: logged and lost
	}
	if err != nil {
		return 0, errLeave
	}
	return n, nil
}

// reap collects ended processes. The child's status goes to wsl.exe, whose echo
// is awaited; the relay stays for the sake of processes that the child left.
func (r *relay) reap() error {
	var drained [8]byte
	unix.Read(r.sigchld, drained[:])
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil: // no children any more
			return errLeave
		case pid == 0:
			return nil
		}
		if pid == r.child {
			if err := r.report(status); err != nil {
				return err
			}
		}
	}
}

// report sends the exit status: the code, or the raw status after a signal.
func (r *relay) report(status unix.WaitStatus) error {
	code := uint32(status)
	if status.Exited() {
		code = uint32(status.ExitStatus())
	}
	r.childOut = true
	r.child = -1
	if err := r.send(wire.Interop, wire.Status(code)); err != nil {
		return errLeave
	}
	var echo [wire.StatusLen]byte
	io.ReadFull(socket(r.sockets[wire.Interop]), echo[:])
	unix.Shutdown(r.sockets[wire.Stdin], unix.SHUT_RD)
	unix.Shutdown(r.sockets[wire.Stdout], unix.SHUT_WR)
	unix.Shutdown(r.sockets[wire.Stderr], unix.SHUT_WR)
	r.drop(pollTerminal)
	return nil
}

// terminalMessage notices that wsl.exe is gone. Changes of the window's size are
// not sent by the stand-in.
func (r *relay) terminalMessage() error {
	if n, err := r.receive(wire.Terminal); n == 0 || err != nil {
		return errLeave
	}
	return nil
}

// socket reads from a descriptor as it is: os.File would make it non-blocking.
type socket int

func (s socket) Read(b []byte) (int, error) {
	n, err := retried(func() (int, error) { return unix.Read(int(s), b) })
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(n, 0), err
}

// retried repeats a call that a signal interrupted.
func retried(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}
