package control

import "golang.org/x/sys/windows"

// cuts are the errors of a pipe whose far side has closed.
var cuts = []error{windows.ERROR_BROKEN_PIPE, windows.ERROR_NO_DATA, windows.ERROR_PIPE_NOT_CONNECTED}
