package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
)

// runCommand is what starts at logon. It is hidden since a person wants to be told more.
func runCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:    "run",
		Short:  "Serve the socket with nobody there to be told",
		Hidden: true,
		Long: `run does what up does, for nobody: it prints nothing, and what happens is told by
docker-wsl-bridge status and logs. What is missing at the start is waited for: WSL,
a distro, an engine. When a bridge for the socket runs already there is nothing to
do, which is no error.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			wanted, wrong, err := o.wantedLinks(cmd.Flags())
			if err != nil {
				return err
			}
			o.serve = func(ctx context.Context) error { return runBackground(ctx, wanted, wrong, &o) }
			if service.StartedBySCM() {
				err = service.Run(o.serviceBody)
			} else {
				o.wake = service.ResumeEvents(cmd.Context())
				err = o.serveUntilDone(cmd.Context())
			}
			if err != nil {
				return failureOf(err)
			}
			return nil
		},
	}
	o.bindFlags(cmd.Flags())
	cmd.Flags().BoolVar(&o.ifInstalled, links.IfInstalled, false, "do nothing for a user for whom it is not installed")
	_ = cmd.Flags().MarkHidden(links.IfInstalled) // fails only for a flag that is not there
	return cmd
}

// serveUntilDone serves what run is told to, for as long as nobody has it end.
func (o *options) serveUntilDone(ctx context.Context) error {
	if o.ifInstalled {
		if marked, err := install.IsMarked(); !marked || err != nil {
			return err
		}
	}
	return ignoreServed(o.serve(ctx))
}

// ignoreServed takes it for success that another bridge serves the place.
func ignoreServed(err error) error {
	var runs *control.RunsError
	if errors.As(err, &runs) {
		return nil
	}
	return err
}

// serviceBody is the same as a service. That is running as soon as it tries: whether it serves is for
// status to say, and a stopped engine must not fail a start. At the end of its user's session Windows
// has it stop, and of what else happens around it only awakenings count.
func (o *options) serviceBody(ctx context.Context, c service.Control) uint32 {
	wake := make(chan struct{}, 1)
	o.wake = wake
	return service.MainBody(func(ctx context.Context, started func()) error {
		started()
		return o.serveUntilDone(ctx)
	}, func(e service.Event) {
		if e.MayResume() {
			select {
			case wake <- struct{}{}:
			default: // it looks already
			}
		}
	})(ctx, c)
}

// runBackground is run. A wrong file is in the log: nobody else is there to be told.
func runBackground(ctx context.Context, c *links.Set, wrong error, o *options) error {
	if wrong != nil {
		daemon.LogWrong(wrong, daemon.Options{Debug: o.debug, Stderr: io.Discard, Alone: true})
		return advice.With(wrong, []codes.Hint{advice.ConfigCheckHint()})
	}
	d, err := o.daemonOptions(c)
	if err != nil {
		return err
	}
	d.Alone = true
	return daemon.Run(ctx, c.Links, d)
}
