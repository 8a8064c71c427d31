package carrier

import "io"

// Stdio takes this process's stdin and stdout as one connection. Close unblocks Read and
// Write, whatever the two are: pipes, sockets, a terminal; a plain file never blocks.
//
// Descriptors 0 and 1 are /dev/null afterwards, so that a stray print can't get between
// the carrier's bytes. Nothing is restored, so call it once, early.
//
// The descriptors are made non-blocking. That mode belongs to the open file, so everybody
// who shares it sees it: a shell whose terminal this was may be surprised. The
// pipes that wsl.exe or Start make for us have no other user.
//
// A write to a connection whose far end is gone is an error here; on descriptor 1 it
// would kill a Go program by SIGPIPE (os/signal documents it). Descriptor 2
// keeps that danger: a program that outlives its carrier ignores SIGPIPE.
func Stdio() (io.ReadWriteCloser, error) { return takeStdio() }
