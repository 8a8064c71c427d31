package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(pipes []string) int {
	for _, p := range pipes {
		name, target, found := strings.Cut(p, "=")
		name, owner, owned := strings.Cut(name, "@")
		target, number, isDeaf := strings.Cut(target, ",deaf=")
		deaf, err := strconv.Atoi(number)
		if !found || isDeaf && err != nil {
			fmt.Fprintf(os.Stderr, "front: %q is not NAME[@OWNER]=HOST:PORT[,deaf=NUMBER] or NAME=denied\n", p)
			return 2
		}
		if !owned {
			owner = administrators
		}
		if target == forbidden {
			if err := forbid(name); err != nil {
				fmt.Fprintln(os.Stderr, "front:", err)
				return 1
			}
			continue
		}
		l, err := listen(name, owner)
		if err != nil {
			fmt.Fprintln(os.Stderr, "front:", err)
			return 1
		}
		go serve(l, target, deaf) // for as long as the program runs
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it ends us
	return 0
}

// serve ends the program when the pipe can't be listened at any more: a front
// that takes no connection must be noticed. Nothing is read of the first connections,
// as many as deaf says.
func serve(l net.Listener, target string, deaf int) {
	for {
		c, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "front: accept:", err)
			os.Exit(1)
		}
		if deaf > 0 {
			deaf--
			go speak(c.(conn), target)
			continue
		}
		go forward(c.(conn), target)
	}
}
