package main

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// The parts this program plays.
const (
	partInit  = "init"
	partRelay = "relay"
	partChild = "child"
	partEnter = "enter"
)

// self is this program even where its file is out of reach: the kernel follows
// the link to the running image, not its path.
const self = "/proc/self/exe"

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	part := ""
	if len(args) > 0 {
		part = args[0]
	}
	if part == "" || part == partEnter {
		// What a shell or a test runner left open in us is not for the distros.
		unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	}
	var err error
	switch part {
	case "":
		err = serve(os.Stdin, os.Stdout)
	case partInit:
		err = runInit()
	case partRelay:
		err = runRelay()
	case partChild:
		return runChild()
	case partEnter:
		return enter(args[1:])
	default:
		err = fmt.Errorf("play part: %q is none", part)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "vm %s: %v\n", part, err)
		return 1
	}
	return 0
}
