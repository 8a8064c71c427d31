//go:build !linux

// Command bench measures paths to an engine side by side; their parts are Linux
// programs.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: error: the parts that it measures exist on Linux only")
	os.Exit(1)
}
