package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervisor"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// unknownDistro stands for the default one while WSL does not tell its name. No distro can be
// called so.
const unknownDistro = "(default)"

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
			wanted, wrong, err := o.wanted(cmd.Flags())
			if err != nil {
				return err
			}
			o.serve = func(ctx context.Context) error { return unattended(ctx, wanted, wrong, &o) }
			if service.Started() {
				err = service.Run(o.body)
			} else {
				o.wake = service.Awakenings(cmd.Context())
				err = o.standing(cmd.Context())
			}
			if err != nil {
				return failed(err)
			}
			return nil
		},
	}
	o.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.ifInstalled, ifInstalled, false, "do nothing for a user for whom it is not installed")
	_ = cmd.Flags().MarkHidden(ifInstalled) // fails only for a flag that is not there
	return cmd
}

// standing serves what run is told to, for as long as nobody has it end.
func (o *options) standing(ctx context.Context) error {
	if o.ifInstalled {
		if marked, err := install.Marked(); !marked || err != nil {
			return err
		}
	}
	return quietly(o.serve(ctx))
}

// quietly takes it for success that another bridge serves the place.
func quietly(err error) error {
	var runs *control.RunsError
	if errors.As(err, &runs) {
		return nil
	}
	return err
}

// body is the same as a service. That is running as soon as it tries: whether it serves is for
// status to say, and a stopped engine must not fail a start. At the end of its user's session Windows
// has it stop, and of what else happens around it only awakenings count.
func (o *options) body(ctx context.Context, c service.Control) uint32 {
	c.Started()
	wake := make(chan struct{}, 1)
	o.wake = wake
	ctx, cancel := context.WithCancel(ctx)
	var listener sync.WaitGroup
	listener.Go(func() {
		for {
			select {
			case e := <-c.Events:
				if e.Awakens() {
					select {
					case wake <- struct{}{}:
					default: // it looks already
					}
				}
			case <-ctx.Done():
				return
			}
		}
	})
	err := o.standing(ctx)
	cancel()
	listener.Wait()
	return service.ErrorCode(err)
}

// ifInstalled is the flag of a service's instances, which every user has.
const ifInstalled = "if-installed"

// quiet is what tells nobody.
func quiet() *reporter { return &reporter{stdout: io.Discard, stderr: io.Discard, alone: true} }

// choosing has WSL tell the distro that is meant, as often as that takes. It is empty when ctx ends
// before.
func choosing(ctx context.Context, name string, tell func(tunnel.Event), wake <-chan struct{}) (w distro.WSL, distro string) {
	_ = supervisor.Run(ctx, func(ctx context.Context) (well time.Duration, err error) {
		w, distro, err = choose(ctx, name)
		return 0, err
	}, func(err error, pause time.Duration) (last bool) {
		if err != nil {
			tell(tunnel.Failed(name, err, pause))
		}
		return err == nil
	}, wake)
	return w, distro
}

// choose finds wsl.exe and has it tell the distro that is meant, which is empty with an error.
func choose(ctx context.Context, name string) (distro.WSL, string, error) {
	w, err := distro.FindWSL()
	if err != nil {
		return w, "", err
	}
	distro, err := w.Choose(ctx, name)
	if err != nil {
		return w, "", err
	}
	return w, distro, nil
}
