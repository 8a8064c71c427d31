//go:build !windows

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "dialstdio: named pipes exist on Windows only")
	os.Exit(1)
}
