package main

import (
	"io"
	"os"
)

// stderr has no use on Windows: the agent is a Linux program.
func stderr() (io.Writer, error) { return os.Stderr, nil }
