package control

import "golang.org/x/sys/unix"

// cuts are the errors of a socket whose far side has closed.
var cuts = []error{unix.EPIPE, unix.ECONNRESET}
