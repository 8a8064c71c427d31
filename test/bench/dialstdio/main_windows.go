package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/Microsoft/go-winio"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "dialstdio: name one pipe")
		return 2
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := winio.DialPipeContext(ctx, `\\.\pipe\`+args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, "dialstdio:", err)
		return 1
	}
	go func() { // ends with the program, like that of the docker command
		_, _ = io.Copy(c, os.Stdin)
		if half, ok := c.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	}()
	if _, err := io.Copy(os.Stdout, c); err != nil {
		return 1
	}
	return 0
}
