package main

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// What a relay finds open when it starts.
const (
	relaySockets  = 3
	relaySettings = relaySockets + wire.Sockets
)

// relay moves the bytes of one launch, inside the distro. It is one loop in one
// thread, and what it does in which order is what WSL's does (init.cpp,
// InitCreateProcessUtilityVm); the surprises of that loop are its point:
// writes of output block, so an output that nobody drains stops input too;
// input that the child does not take is tried again when poll returns, which is
// after 100 ms when nothing else happens, and at once when there is more input.
type relay struct {
	sockets [wire.Sockets]int
	stdin   int    // write end of the child's standard input, non-blocking
	outputs [3]int // read ends of the child's output and error; -1: on the terminal
	master  int
	sigchld int // readable when a child of ours has ended
	console [3]bool
	child   int

	polled   [6]unix.PollFd // in the order of the constants below
	pending  []byte         // input the child has not taken yet
	buf      []byte
	childOut bool // the child has ended and its status is sent

	faults wire.Faults
	flood  int64 // bytes of it still to come
}

const (
	pollStdin = iota
	pollStdout
	pollStderr
	pollMaster
	pollChild
	pollTerminal
)

// runRelay starts the child of one launch and relays until both are done.
func runRelay() error {
	var l guestLaunch
	if err := recall(relaySettings, &l); err != nil {
		return err
	}
	r := &relay{
		stdin: -1, outputs: [3]int{-1, -1, -1}, console: l.Console,
		buf: make([]byte, l.Faults.Hop()), faults: l.Faults, flood: l.Faults.Flood,
	}
	for i := range r.sockets {
		r.sockets[i] = relaySockets + i
		unix.CloseOnExec(r.sockets[i])
	}
	// Orphans of the child come to us, not to init.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	if err := r.watchChildren(); err != nil {
		return err
	}
	l.Interop = fmt.Sprintf("/run/WSL/%d_interop", os.Getpid())
	if err := r.start(l); err != nil {
		return err
	}
	os.WriteFile("/proc/self/comm", []byte("Relay("+strconv.Itoa(r.child)+")"), 0)
	r.run()
	r.hangUp()
	return nil
}

// watchChildren makes SIGCHLD readable. WSL has a signalfd for it; a Go program
// can't block the signal, so a goroutine that touches nothing else passes it on.
func (r *relay) watchChildren() error {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("make event: %w", err)
	}
	r.sigchld = fd
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGCHLD)
	go func() { // ends with the process
		for range signals {
			unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		}
	}()
	return nil
}

// start makes terminal and pipes, and the child on them.
func (r *relay) start(l guestLaunch) error {
	slave, err := r.openTerminal()
	if err != nil {
		return err
	}
	defer unix.Close(slave)
	files := []uintptr{uintptr(slave), uintptr(slave), uintptr(slave), uintptr(slave)}
	for i := range l.Console {
		if l.Console[i] {
			continue
		}
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			return fmt.Errorf("make pipe: %w", err)
		}
		ours, theirs := p[0], p[1]
		if i == wire.Stdin {
			ours, theirs = p[1], p[0]
			r.stdin = ours
		} else {
			r.outputs[i] = ours
		}
		defer unix.Close(theirs)
		files[i] = uintptr(theirs)
	}
	if l.Console[wire.Stdin] {
		if r.stdin, err = unix.FcntlInt(uintptr(r.master), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			return fmt.Errorf("duplicate terminal: %w", err)
		}
	}
	if err := unix.SetNonblock(r.stdin, true); err != nil {
		return err
	}
	return r.fork(l, files)
}

// fork starts the child as forkpty does: leader of a session whose terminal is
// the slave, which is open as 3 until the child has handed it to the user.
func (r *relay) fork(l guestLaunch, files []uintptr) error {
	settings, err := memory(childPlan{Launch: &l})
	if err != nil {
		return err
	}
	defer unix.Close(settings)
	r.child, err = syscall.ForkExec(self, []string{"Relay", partChild}, &syscall.ProcAttr{
		Files: append(files, uintptr(settings)),
		Env:   []string{},
		Sys:   &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: childTerminal},
	})
	if err != nil {
		return fmt.Errorf("start child: %w", err)
	}
	return nil
}

// openTerminal makes a pseudo terminal and returns its slave.
func (r *relay) openTerminal() (int, error) {
	master, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open terminal: %w", err)
	}
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return -1, fmt.Errorf("unlock terminal: %w", err)
	}
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		return -1, fmt.Errorf("number terminal: %w", err)
	}
	// What wsl.exe reports when it has no console to ask.
	if err := unix.IoctlSetWinsize(master, unix.TIOCSWINSZ, &unix.Winsize{Col: 80, Row: 24}); err != nil {
		return -1, fmt.Errorf("size terminal: %w", err)
	}
	r.master = master
	return unix.Open("/dev/pts/"+strconv.Itoa(n), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
}

// hangUp ends all connections in good order. The end of the process closes the
// terminal's master, which is a SIGHUP to whoever is left in the session.
func (r *relay) hangUp() {
	unix.Shutdown(r.sockets[wire.Stdin], unix.SHUT_RD)
	unix.Shutdown(r.sockets[wire.Stdout], unix.SHUT_WR)
	unix.Shutdown(r.sockets[wire.Stderr], unix.SHUT_WR)
	unix.Shutdown(r.sockets[wire.Terminal], unix.SHUT_RD)
	unix.Shutdown(r.sockets[wire.Interop], unix.SHUT_WR)
}

// floodLine fills standard error in a flood. It is as long as a line of the log.
const floodLine = "<3>WSL (1 - Relay) ERROR: UtilFlood:1: flood\n"

// addFlood writes one buffer of the flood. While nobody drains standard error,
// nothing else moves.
func (r *relay) addFlood() int {
	if r.flood == 0 {
		return 0
	}
	b := bytes.Repeat([]byte(floodLine), len(r.buf)/len(floodLine)+1)
	b = b[:min(int64(len(r.buf)), r.flood)]
	if r.send(wire.Stderr, b) != nil {
		r.flood = 0
		return 0
	}
	r.flood -= int64(len(b))
	return len(b)
}
