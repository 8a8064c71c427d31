//go:build !linux

// Command demo shows the main job on real parts; those are Linux programs.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "demo: error: the parts that it plays with exist on Linux only")
	os.Exit(1)
}
