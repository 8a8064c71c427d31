//go:build !linux

// Command soak plays with faults on real parts; those are Linux programs.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "soak: error: the parts that it plays with exist on Linux only")
	os.Exit(1)
}
