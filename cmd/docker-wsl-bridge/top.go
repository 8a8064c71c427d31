package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/top"
)

func topCommand() *cobra.Command {
	var c control.Chosen
	var once bool
	var p console.Printer
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show what is carried, live",
		Long: `top shows what the bridges of this user carry, anew each second: carriers with the
round trip to the distro's agent, links, and streams, those first through which most
flows, with the client's process in the distro and, for Docker, the call it is at.
SENT and RECEIVED are as the client sees them. q or Ctrl-C leaves.

With --once it prints the table once, after a second in which rates are measured;
with --json it prints an object each second, as docs/control.md has them.`,
		Example: `  docker-wsl-bridge top
  docker-wsl-bridge top --once --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP) // the terminal is given back then, too
			defer stop()
			if err := showTop(ctx, cmd, c, once, &p); err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
	chosenFlags(cmd, &c)
	cmd.Flags().BoolVar(&once, "once", false, "print the table once")
	printerFlag(cmd, &p, "print JSON, an object a line, until Ctrl-C or, with --once, once")
	return cmd
}

func showTop(ctx context.Context, cmd *cobra.Command, c control.Chosen, once bool, p *console.Printer) error {
	ask := func(ctx context.Context) (top.Look, error) { return lookAtAll(ctx, c) }
	switch {
	case once:
		seen, err := top.LookOnce(ctx, ask)
		if err != nil {
			return err
		}
		return p.Result(seen, func(w io.Writer) error { return top.PrintTable(w, seen, 0) })
	case p.JSON:
		return top.LookRepeatedly(ctx, ask, func(seen top.Look) error { return p.Result(seen, nil) })
	}
	screen, is := cmd.OutOrStdout().(*os.File)
	if !is {
		return top.ErrNoTerminal
	}
	return top.Run(ctx, os.Stdin, screen, ask)
}

// lookAtAll asks all bridges that are meant. One that does not answer is shown as silent.
func lookAtAll(ctx context.Context, c control.Chosen) (top.Look, error) {
	found, err := control.CarryingBridges(ctx, c)
	switch {
	case err != nil:
		return top.Look{}, err
	case len(found) == 0:
		return top.Look{}, advice.With(errors.New("no bridge runs"+printable.Line(c.WordsForChoice())), []codes.Hint{advice.NoneHint()})
	}
	var links []control.LinkTraffic
	at := time.Now()
	for _, f := range found {
		if f.Err != nil {
			s := statusOf(f)
			links = append(links, control.LinkTraffic{PID: s.PID, Link: s.Link, State: s.State})
			continue
		}
		at = f.Traffic.At
		links = append(links, f.Traffic.Links...)
	}
	return top.NewLook(at, links), nil
}
