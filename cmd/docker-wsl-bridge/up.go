package main

import (
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/setup"
)

// options are the flags of up.
type options struct {
	links.Flags
	link links.Link // what they say

	json, debug bool
	ifInstalled bool

	wake  <-chan struct{}             // the machine has just woken up; nil if nobody tells
	serve func(context.Context) error // what run does
}

// parseFlags finds what the flags say, before anything is done.
func (o *options) parseFlags(goos string) (err error) {
	o.link, err = o.Flags.ParseLink(goos)
	return err
}

// wantedLinks is what the files want or, if they name no link or flags say what is served, the flags. wrong is what is
// wrong with the files.
func (o *options) wantedLinks(flags *pflag.FlagSet) (c *links.Set, wrong, err error) {
	if c, wrong = links.WantedByFiles(flags); wrong != nil || c != nil {
		return c, wrong, nil
	}
	if err := o.parseFlags(runtime.GOOS); err != nil {
		return nil, nil, err
	}
	return &links.Set{Links: []links.Link{o.link}}, nil, nil
}

// runInteractive is up: somebody is there to be told.
func runInteractive(ctx context.Context, c *links.Set, wrong error, o *options, r *reporter) error {
	if wrong != nil {
		return configFailed(wrong, advice.ConfigCheckHint())
	}
	r.several = !c.FromFlags()
	d, err := o.daemonOptions(c)
	if err != nil {
		return &failure{error: err}
	}
	d.Report, d.Stderr, d.Strict = r.reportEvent, r.Err, c.FromFlags()
	err = daemon.Run(ctx, c.Links, d)
	switch {
	case err == nil:
		return r.reportStopped()
	case d.Strict && errors.Is(err, context.Canceled):
		return &failure{error: errors.New("interrupted before the socket was served")}
	}
	return failureOf(err)
}

// daemonOptions says how what is wanted is served.
func (o *options) daemonOptions(c *links.Set) (d daemon.Options, err error) {
	d = daemon.Options{
		Report: func(daemon.Event) {}, Stderr: io.Discard, Debug: o.debug, Wake: o.wake, Version: version, Installed: setup.IsInstalled,
	}
	if c.FromFlags() {
		return d, nil
	}
	d.Load = func() ([]links.Link, error) {
		c, err := links.LoadOwn()
		if err != nil {
			return nil, err
		}
		return c.Links, nil
	}
	d.Ignored = c.Files.Ignored
	d.File, err = links.UserFile()
	return d, err
}

// failureOf is an error of what ran.
func failureOf(err error) error {
	var of *daemon.Error
	if errors.As(err, &of) {
		return &failure{err, of.Distro}
	}
	return &failure{error: err}
}

func upCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Serve the socket until Ctrl-C",
		Long: `up serves a unix socket in a WSL2 distro that is the Docker engine of Windows.
It needs no configuration, and leaves nothing behind but its agent's file in the
distro's /run, which is gone with the distro, and the docker context windows,
which docker-wsl-bridge context rm removes.

Without flags it serves what the configuration names, if that names links; see
docker-wsl-bridge config.

Ctrl-C ends it: the socket goes away, connections that are under way get 5 s to
come to their end. Ctrl-C again ends it at once.`,
		Example: `  docker-wsl-bridge up
  docker-wsl-bridge up --distro Ubuntu --pipe docker_engine_windows
  docker-wsl-bridge up --distro docker-desktop --socket /run/host-services/docker.win.proxy.sock
  docker-wsl-bridge up --kind raw --pipe openssh-ssh-agent --socket /run/docker-wsl-bridge/ssh-agent.sock`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r := &reporter{Printer: console.Printer{Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr(), JSON: o.json}}
			o.wake = service.ResumeEvents(cmd.Context())
			wanted, wrong, err := o.wantedLinks(cmd.Flags())
			if err != nil {
				return err
			}
			return runInteractive(cmd.Context(), wanted, wrong, &o, r)
		},
	}
	o.bindFlags(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "report as JSON, one object a line")
	return cmd
}

// bindFlags has the flags that say what is served, and how.
func (o *options) bindFlags(f *pflag.FlagSet) {
	links.BindFlags(&o.Flags, f)
	f.BoolVar(&o.debug, "debug", false, "log each connection, from both sides, to stderr")
}
