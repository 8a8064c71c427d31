package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(pipes []string) int {
	for _, p := range pipes {
		name, target, found := strings.Cut(p, "=")
		name, owner, owned := strings.Cut(name, "@")
		if !found {
			fmt.Fprintf(os.Stderr, "front: %q is not NAME[@OWNER]=HOST:PORT\n", p)
			return 2
		}
		if !owned {
			owner = administrators
		}
		l, err := listen(name, owner)
		if err != nil {
			fmt.Fprintln(os.Stderr, "front:", err)
			return 1
		}
		go serve(l, target) // for as long as the program runs
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it ends us
	return 0
}

// serve ends the program when the pipe can't be listened at any more: a front
// that is deaf must be noticed.
func serve(l net.Listener, target string) {
	for {
		c, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "front: accept:", err)
			os.Exit(1)
		}
		go forward(c.(conn), target)
	}
}
