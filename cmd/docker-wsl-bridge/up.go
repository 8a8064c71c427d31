package main

import (
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
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

// parse finds what the flags say, before anything is done.
func (o *options) parse(goos string) (err error) {
	o.link, err = o.Flags.Link(goos)
	return err
}

// wanted is what the files want or, if they name no link or flags say what is served, the flags. wrong is what is
// wrong with the files.
func (o *options) wanted(flags *pflag.FlagSet) (c *links.Set, wrong, err error) {
	if c, wrong = configured(flags); wrong != nil || c != nil {
		return c, wrong, nil
	}
	if err := o.parse(runtime.GOOS); err != nil {
		return nil, nil, err
	}
	return &links.Set{Links: []links.Link{o.link}}, nil, nil
}

// attended is up: somebody is there to be told.
func attended(ctx context.Context, c *links.Set, wrong error, o *options, r *reporter) error {
	if wrong != nil {
		return configFailed(wrong, advice.ConfigCheckHint())
	}
	r.several = !c.FromFlags()
	d, err := o.daemon(c)
	if err != nil {
		return &failure{error: err}
	}
	d.Report, d.Stderr, d.Strict = r.event, r.stderr, c.FromFlags()
	err = daemon.Run(ctx, c.Links, d)
	switch {
	case err == nil:
		return r.stopped()
	case d.Strict && errors.Is(err, context.Canceled):
		return &failure{error: errors.New("interrupted before the socket was served")}
	}
	return failed(err)
}

// daemon says how what is wanted is served.
func (o *options) daemon(c *links.Set) (d daemon.Options, err error) {
	d = daemon.Options{
		Report: func(daemon.Event) {}, Stderr: io.Discard, Debug: o.debug, Wake: o.wake, Version: version, Installed: isInstalled,
	}
	if c.FromFlags() {
		return d, nil
	}
	d.Load = func() ([]links.Link, error) {
		c, err := loadConfig()
		if err != nil {
			return nil, err
		}
		return c.Links, nil
	}
	d.Ignored = c.Files.Ignored
	d.File, err = userConfig()
	return d, err
}

// failed is an error of what ran.
func failed(err error) error {
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
			r := &reporter{stdout: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr(), json: o.json}
			o.wake = service.Awakenings(cmd.Context())
			wanted, wrong, err := o.wanted(cmd.Flags())
			if err != nil {
				return err
			}
			return attended(cmd.Context(), wanted, wrong, &o, r)
		},
	}
	o.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "report as JSON, one object a line")
	return cmd
}

// bind has the flags that say what is served.
func (o *options) bind(f *pflag.FlagSet) {
	f.StringVarP(&o.Distro, "distro", "d", "", "the WSL2 `name` of the distro (default: WSL's default distro)")
	f.StringVar(&o.Socket, "socket", links.DefaultSocket, "the socket's `path` in the distro")
	f.StringVar(&o.Pipe, "pipe", "", "the engine's `pipe`: a name, npipe:////./pipe/NAME, or on Linux\nunix:/path (default: the first engine for Windows containers)")
	f.StringVar(&o.Kind, "kind", config.Docker, "what answers at the pipe: docker, or raw for any other byte `stream`")
	f.StringVar(&o.Mode, "socket-mode", "", "the socket's permissions, `octal` (default: 0660 with a\ngroup docker in the distro, else 0600)")
	f.StringVar(&o.Owner, "socket-owner", "", "the socket's `user[:group]` (default: root:docker, else the user of\n/etc/wsl.conf, else uid 1000)")
	f.StringVar(&o.KeepAlive, "keep-alive", config.Always, "always keeps the distro up, while-running lets it stop when nobody\nelse uses it, and serves it again when somebody does (`way`)")
	f.StringVar(&o.Paths, "paths", config.Auto, "auto turns the distro's paths of bind mounts (-v /mnt/c/src:C:\\src) into\nthose of Windows for a Windows engine, off leaves them (`way`)")
	f.BoolVar(&o.TrustOwner, "trust-pipe-owner", false, "take the pipe of --pipe whoever owns it (default: it must be the system's,\nthe administrators' or your own)")
	f.StringVar(&o.Context, "context", "", "the `name` of the docker context that leads to the socket, one of the\ndistro's default user; none makes none (default: windows, for the\ndefault socket)")
	f.BoolVar(&o.debug, "debug", false, "log each connection, from both sides, to stderr")
}
