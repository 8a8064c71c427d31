package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/service"
)

// options are the flags of up.
type options struct {
	name                 string // of the link
	distro, socket, pipe string
	mode, owner          string
	shared               bool  // the socket is one that all distros see: distro is config.All
	uids                 []int // of that: who may connect
	kind, keepAlive      string
	paths                string
	context              string // of docker; understood: its name, or empty for none
	trustOwner           bool
	json, debug          bool
	ifInstalled          bool

	reverse reverse // of a link whose clients are on Windows

	engine endpoint.Endpoint // pipe, understood; the zero value if there is none
	wake   <-chan struct{}   // the machine has just woken up; nil if nobody tells

	serve func(context.Context) error // what run does
}

// The kinds of link: what is known of the bytes.
const (
	kindDocker = "docker" // a Docker engine answers
	kindRaw    = "raw"    // any byte stream
)

// The ways to treat a distro that nobody else uses.
const (
	keepAlways       = "always"        // it stays up as long as we run
	keepWhileRunning = "while-running" // it may stop; it is served again when somebody runs it
)

// What is done with paths of the distro in what clients ask to be created.
const (
	pathsAuto = "auto" // for an engine for Windows containers they become Windows' own
	pathsOff  = "off"
)

// understand checks the flags before anything is done.
func (o *options) understand(goos string) error {
	place, err := endpoint.Parse("unix:"+o.socket, "linux")
	if err != nil {
		return fmt.Errorf("--socket: %w", err)
	}
	o.socket = place.Path()
	if err := o.checkDistro(); err != nil {
		return fmt.Errorf("--distro: %w", err)
	}
	if o.kind != kindDocker && o.kind != kindRaw {
		return fmt.Errorf("--kind: there is no kind %q; write docker or raw", o.kind)
	}
	if o.keepAlive != keepAlways && o.keepAlive != keepWhileRunning {
		return fmt.Errorf("--keep-alive: there is no such way, %q; write always or while-running", o.keepAlive)
	}
	if o.paths != pathsAuto && o.paths != pathsOff {
		return fmt.Errorf("--paths: there is no such way, %q; write auto or off", o.paths)
	}
	if err := o.understandContext(); err != nil {
		return fmt.Errorf("--context: %w", err)
	}
	if o.pipe == "" && o.trustOwner {
		return errors.New("--trust-pipe-owner: the pipe must be named; write --pipe NAME")
	}
	if o.pipe == "" && o.kind == kindRaw {
		return errors.New("--kind: raw needs to be told what to carry; write --pipe NAME")
	}
	if o.pipe == "" {
		if goos != "windows" {
			return errors.New("--pipe: engines are looked for on Windows only; write --pipe unix:/var/run/docker.sock")
		}
		return nil
	}
	if o.engine, err = endpoint.Parse(o.pipe, goos); err != nil {
		return fmt.Errorf("--pipe: %w", err)
	}
	return nil
}

// dial is how a place is dialled.
func (o *options) dial(place endpoint.Endpoint) bridge.Dial {
	if o.trustOwner {
		return place.DialAnyOwner
	}
	return place.Dial
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
			o.wake = service.Resumes(cmd.Context())
			if c, err := configured(cmd.Flags()); err != nil || c != nil {
				return attended(cmd.Context(), c, err, &o, r)
			}
			if err := o.understand(runtime.GOOS); err != nil {
				return err
			}
			err := up(cmd.Context(), &o, r)
			switch {
			case err == nil:
				return nil
			case errors.Is(err, context.Canceled):
				return &failure{error: errors.New("interrupted before the socket was served")}
			}
			return &failure{err, o.distro}
		},
	}
	o.flags(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "report as JSON, one object a line")
	return cmd
}

// flags are those that say what is served.
func (o *options) flags(f *pflag.FlagSet) {
	o.name = linkName
	f.StringVarP(&o.distro, "distro", "d", "", "the WSL2 `name` of the distro (default: WSL's default distro)")
	f.StringVar(&o.socket, "socket", defaultSocket, "the socket's `path` in the distro")
	f.StringVar(&o.pipe, "pipe", "", "the engine's `pipe`: a name, npipe:////./pipe/NAME, or on Linux\nunix:/path (default: the first engine for Windows containers)")
	f.StringVar(&o.kind, "kind", kindDocker, "what answers at the pipe: docker, or raw for any other byte `stream`")
	f.StringVar(&o.mode, "socket-mode", "", "the socket's permissions, `octal` (default: 0660 with a\ngroup docker in the distro, else 0600)")
	f.StringVar(&o.owner, "socket-owner", "", "the socket's `user[:group]` (default: root:docker, else the user of\n/etc/wsl.conf, else uid 1000)")
	f.StringVar(&o.keepAlive, "keep-alive", keepAlways, "always keeps the distro up, while-running lets it stop when nobody\nelse uses it, and serves it again when somebody does (`way`)")
	f.StringVar(&o.paths, "paths", pathsAuto, "auto turns the distro's paths of bind mounts (-v /mnt/c/src:C:\\src) into\nthose of Windows for a Windows engine, off leaves them (`way`)")
	f.BoolVar(&o.trustOwner, "trust-pipe-owner", false, "take the pipe of --pipe whoever owns it (default: it must be the system's,\nthe administrators' or your own)")
	f.StringVar(&o.context, "context", "", "the `name` of the docker context that leads to the socket, one of the\ndistro's default user; none makes none (default: windows, for the\ndefault socket)")
	f.BoolVar(&o.debug, "debug", false, "log each connection, from both sides, to stderr")
}
