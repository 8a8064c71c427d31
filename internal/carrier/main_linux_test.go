package carrier

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// playHere plays what only Linux has: the agent's end.
func playHere(role string) int {
	switch role {
	case "leave-escaped":
		cmd := self("hold")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return leave(cmd)
	}
	c, err := Stdio()
	if err != nil {
		return 1
	}
	switch role {
	case "stdio-cat":
		fmt.Println("stray print")
		os.Stdin.Read(make([]byte, 1)) // takes nothing of the carrier's
		io.Copy(c, c)
	case "stdio-close":
		return closeWhileBusy(c)
	case "stdio-epipe":
		c.Read(make([]byte, 1)) // the parent has closed its read end by now
		_, err := c.Write([]byte("x"))
		if !errors.Is(err, syscall.EPIPE) {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	return 0
}

// closeWhileBusy closes c under a Read and a Write that can't end by themselves and tells
// on stderr how they did.
func closeWhileBusy(c io.ReadWriteCloser) int {
	read, write := make(chan error, 1), make(chan error, 1)
	go func() { _, err := c.Read(make([]byte, 1)); read <- err }()
	go func() { _, err := c.Write(bytes.Repeat([]byte("x"), 16<<20)); write <- err }()
	// Wait until the writer is stuck. A terminal may stay writable then: the kernel makes
	// room in it without waking anybody, hence the bound.
	full := []unix.PollFd{{Fd: int32(c.(*stdio).out.Fd()), Events: unix.POLLOUT}}
	for n, end := 1, time.Now().Add(time.Second); n != 0 && time.Now().Before(end); n, _ = unix.Poll(full, 0) {
		runtime.Gosched()
	}
	c.Close()
	fmt.Fprintln(os.Stderr, errors.Is(<-read, os.ErrClosed), errors.Is(<-write, os.ErrClosed))
	return 0
}

// waitGone waits for the end of a process that need not be our child.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return // gone already
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if n != 1 {
			t.Fatalf("process %d is still there", pid)
		}
		return
	}
}
