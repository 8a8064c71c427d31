package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

const (
	// commandTime bounds a command of a person, who may have to wait for a distro to start.
	commandTime = 90 * time.Second
)

func contextCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "context",
		Short: "Make, remove and list docker contexts that lead to a bridge",
		Long: `context looks after the contexts of the docker command in a distro, those of its
default user: a process of that user reads and writes the files. up and install
make the context windows by themselves, and uninstall removes it. What somebody
else has made is left alone.

A distro that does not run is started.`,
		Args: nearest,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(contextCreateCommand(), contextRmCommand(), contextLsCommand())
	return cmd
}

// contextVerb is a command on the contexts of the place that c chooses.
func contextVerb(use, short string, args cobra.PositionalArgs, do func(context.Context, *cobra.Command, placed) error) *cobra.Command {
	var c control.Chosen
	cmd := &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := links.DefaultContext
			if len(args) == 1 {
				name = args[0]
			}
			if err := dockercontext.CheckName(name); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), commandTime)
			defer cancel()
			p, err := findPlace(ctx, c)
			if err == nil {
				p.name = name
				err = do(ctx, cmd, p)
			}
			if err != nil {
				return &failure{err, p.Distro}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&c.Distro, "distro", "d", "", "the distro's `name` (default: that of the bridge that runs, else WSL's\ndefault distro)")
	cmd.Flags().StringVar(&c.Socket, "socket", "", "the socket's `path` (default: that of the bridge that runs, else\n"+links.DefaultSocket+")")
	return cmd
}

// placed is where contexts are looked after.
type placed struct {
	control.Place
	w     distro.WSL
	agent deploy.Binary
	name  string // of the context
}

// findPlace takes the one bridge that runs for what was not told.
func findPlace(ctx context.Context, c control.Chosen) (p placed, err error) {
	p.Place = control.Place{Distro: c.Distro, Socket: cmp.Or(c.Socket, links.DefaultSocket)}
	bridges, err := control.Running(ctx, c)
	bridges = slices.DeleteFunc(bridges, func(f control.Found) bool { return control.IsPipe(f.Place) })
	if err == nil && len(bridges) == 1 {
		p.Place = bridges[0].Place
		if p.Everywhere() {
			p.Distro = bridges[0].Status.Link.Host
		}
	}
	if p.agent, err = deploy.Own(); err != nil {
		return p, err
	}
	if p.w, err = distro.FindWSL(); err != nil {
		return p, err
	}
	p.Distro, err = p.w.Choose(ctx, p.Distro)
	return p, err
}

func (p placed) ask(ctx context.Context, args ...string) (dockercontext.Answer, error) {
	if err := state.Record(state.Made{Distro: p.Distro}); err != nil {
		return dockercontext.Answer{}, err // the agent's file may be new there
	}
	contexts, err := daemon.ContextsOf(p.w, p.agent, p.Distro)
	if err != nil {
		return dockercontext.Answer{}, err
	}
	return contexts.Ask(ctx, "", args...)
}

func contextCreateCommand() *cobra.Command {
	return contextVerb("create [NAME]", "Make a docker context that leads to a socket", cobra.MaximumNArgs(1),
		func(ctx context.Context, cmd *cobra.Command, p placed) error {
			a, err := daemon.MakeContext(ctx, p.w, p.agent, p.Place, p.name)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "docker --context %s of %s leads to %s\n", p.name, a.User, control.PlaceName(p.Place))
			if note := a.Led.Astray(p.name, a.Host); note != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), advice.AstrayWords(p.name, note))
			}
			return nil
		})
}

func contextRmCommand() *cobra.Command {
	return contextVerb("rm [NAME]", "Remove a docker context that leads to a bridge", cobra.MaximumNArgs(1),
		func(ctx context.Context, cmd *cobra.Command, p placed) error {
			a, err := p.ask(ctx, "rm", p.name)
			switch {
			case err != nil:
				return err
			case a.State == dockercontext.Foreign:
				return &distro.ContextError{Distro: p.Distro, Answer: a}
			case a.State == dockercontext.None:
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s has no docker context %s\n", a.User, control.WhereWords(p.Place), p.name)
				return nil
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed the docker context %s of %s %s\n", p.name, a.User, control.WhereWords(p.Place))
			if a.Led.Current == p.name {
				fmt.Fprintln(cmd.ErrOrStderr(), "it was the one in use; docker takes its default one again")
			}
			return nil
		})
}

// listed is what a script is told.
type listed struct {
	Distro   string                  `json:"distro"`
	User     string                  `json:"user"`
	Contexts []dockercontext.Context `json:"contexts"`
	Led      dockercontext.Led       `json:"led"`
}

func contextLsCommand() *cobra.Command {
	var asJSON bool
	cmd := contextVerb("ls", "List the docker contexts", cobra.NoArgs,
		func(ctx context.Context, cmd *cobra.Command, p placed) error {
			a, err := p.ask(ctx, "ls")
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				l := listed{p.Distro, a.User, a.List, a.Led}
				if l.Contexts == nil {
					l.Contexts = []dockercontext.Context{}
				}
				return json.NewEncoder(out).Encode(l)
			}
			for _, c := range a.List {
				whose := ""
				if c.Ours {
					whose = "  (ours)"
				}
				fmt.Fprintf(out, "%-16s  %s%s\n", c.Name, c.Host, whose)
			}
			for _, c := range a.List {
				if note := a.Led.Astray(c.Name, c.Host); c.Ours && note != "" {
					fmt.Fprintln(cmd.ErrOrStderr(), advice.AstrayWords(c.Name, note))
				}
			}
			return nil
		})
	cmd.Flags().BoolVar(&asJSON, "json", false, "report as JSON, one object")
	return cmd
}
