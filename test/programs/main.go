// Command programs builds what the tests run, once and before them, so that none of them waits for
// the go command: make programs.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := lab.BuildAll(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "programs: error:", err)
		os.Exit(1)
	}
}
