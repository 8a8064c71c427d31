package main

import (
	"io"
	"os"
)

// openStderr has no use on Windows: the agent is a Linux program.
func openStderr() (io.Writer, error) { return os.Stderr, nil }
