package main

import (
	"io"

	"golang.org/x/sys/unix"
)

// lossy is a descriptor that a log is written to, and never waits: a line that finds no
// room is lost. While wsl.exe stands still nobody reads our stderr, and who logs is who
// accepts connections and has to tell them so.
type lossy int

// newLossy makes the descriptor non-blocking. That mode belongs to the open file, whose
// only user we are if wsl.exe made it.
func newLossy(fd int) (lossy, error) { return lossy(fd), unix.SetNonblock(fd, true) }

func (l lossy) Write(b []byte) (int, error) {
	_, _ = unix.Write(int(l), b) // nobody is there to be told of an error
	return len(b), nil
}

func openStderr() (io.Writer, error) { return newLossy(unix.Stderr) }
