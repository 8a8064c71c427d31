//go:build !windows

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "administrator: these rights are Windows': build it with GOOS=windows")
	os.Exit(1)
}
