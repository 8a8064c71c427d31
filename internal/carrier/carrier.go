// Package carrier is the stdio of a process as one connection, seen from both ends.
//
// The host starts wsl.exe with Start and holds its stdin and stdout as a Process;
// the agent at the far end takes its own stdin and stdout with Stdio.
// The room knows pipes and processes. It does not know what the bytes mean, what
// program it starts, or when to start it again.
//
// Law: Close unblocks a blocked Read and a blocked Write, ends in bounded time, and
// leaves no process of ours behind. Bytes that arrived before the far side ended
// stay readable until Close.
package carrier

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// nameError gives an I/O error the name of what failed. End of file stays itself, and
// whatever Close interrupted reads as os.ErrClosed on every platform.
func nameError(verb string, err error, closing bool) error {
	if err == nil || err == io.EOF {
		return err
	}
	if closing {
		err = os.ErrClosed
	}
	if pe := (*os.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s carrier: %w", verb, err)
}
