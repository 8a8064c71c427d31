package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

func drainCommand() *cobra.Command {
	var c control.Chosen
	d := &draining{}
	cmd := &cobra.Command{
		Use:   "drain",
		Short: "End the bridges when their connections have ended",
		Long: `drain ends the bridges of this user as stop does, but gives connections the time
they need, up to --timeout. The sockets go away at once, so that no new connection
comes; those that are there go on, with all that their clients still ask on them. It
tells how many are left, and waits for the end. A client that keeps a connection
open without a use counts until the timeout.

Ctrl-C ends the wait, and the bridge goes on draining; docker-wsl-bridge stop ends it
within 5 s. The exit code is 1 if connections had to be cut.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if d.timeout < 0 || d.timeout > control.MaxDrain {
				return fmt.Errorf("--timeout: %v is not between 0 and %v", d.timeout, control.MaxDrain)
			}
			if err := d.drainBridges(cmd.Context(), c); err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
	chosenFlags(cmd, &c)
	cmd.Flags().DurationVar(&d.timeout, "timeout", 10*time.Minute, "how long connections get at the most, such as 90s or 2h (`time`)")
	printerFlag(cmd, &d.Printer, "report as JSON, one object a line")
	return cmd
}

// draining is one call of drain.
type draining struct {
	console.Printer
	timeout time.Duration
	last    string // what was told last
}

func (d *draining) drainBridges(ctx context.Context, c control.Chosen) error {
	found, err := control.CarryingBridges(ctx, c)
	if err != nil {
		return err
	}
	if found, err = withTheirOwn(ctx, found); err != nil {
		return err
	}
	if len(found) == 0 {
		if !d.JSON {
			fmt.Fprintf(d.Out, "no bridge runs%s\n", printable.Line(c.WordsForChoice()))
		}
		return nil
	}
	d.reportProgress(ctx, found) // who is there is asked before: an agent that leaves tells no more
	cuts, err := control.DrainAllInstances(ctx, found, d.timeout, func(ctx context.Context) { d.reportProgress(ctx, found) })
	if ctx.Err() != nil {
		return advice.With(errors.New("interrupted: the bridge goes on draining"), []codes.Hint{advice.DrainsHint()})
	}
	all := int64(0)
	for i, f := range found {
		if cuts[i] < 0 {
			continue
		}
		all += cuts[i]
		_ = d.Result(control.DrainProgress{Event: "drained", PID: f.PID, Distro: f.Place.Distro, Socket: f.Place.Socket, Cut: cuts[i]}, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "drained the bridge for %s (pid %d)\n", control.PlaceName(f.Place), f.PID)
			return err
		})
	}
	if all > 0 {
		err = errors.Join(err, advice.With(fmt.Errorf("%d connections had not ended after %v and were cut", all, d.timeout), nil))
	}
	return err
}

// reportProgress tells how many connections are left, if that is new.
func (d *draining) reportProgress(ctx context.Context, of []control.Found) {
	events, err := control.ConnectionsLeft(ctx, of)
	if err != nil {
		return
	}
	words := ""
	for _, e := range events {
		words += e.WordsForPerson() + "\n"
	}
	if words == d.last {
		return
	}
	d.last = words
	for _, e := range events {
		d.Event(e, e.WordsForPerson()+"\n")
	}
}
