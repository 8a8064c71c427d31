package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
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
		Args: suggestCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(contextCreateCommand(), contextRmCommand(), contextLsCommand())
	return cmd
}

// contextVerb is a command on the contexts of the place that c chooses.
func contextVerb(use, short string, args cobra.PositionalArgs, do func(context.Context, *cobra.Command, daemon.ContextPlace) error) *cobra.Command {
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
			p, err := daemon.FindPlace(ctx, c)
			if err == nil {
				p.Name = name
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

func contextCreateCommand() *cobra.Command {
	return contextVerb("create [NAME]", "Make a docker context that leads to a socket", cobra.MaximumNArgs(1),
		func(ctx context.Context, cmd *cobra.Command, p daemon.ContextPlace) error {
			a, err := daemon.MakeContext(ctx, p.WSL, p.Agent, p.Place, p.Name)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "docker --context %s of %s leads to %s\n", p.Name, a.User, control.PlaceName(p.Place))
			if note := a.Led.WhyAstray(p.Name, a.Host); note != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), advice.AstrayWords(p.Name, note))
			}
			return nil
		})
}

func contextRmCommand() *cobra.Command {
	return contextVerb("rm [NAME]", "Remove a docker context that leads to a bridge", cobra.MaximumNArgs(1),
		func(ctx context.Context, cmd *cobra.Command, p daemon.ContextPlace) error {
			a, err := p.AskContexts(ctx, "rm", p.Name)
			switch {
			case err != nil:
				return err
			case a.State == dockercontext.Foreign:
				return &distro.ContextError{Distro: p.Distro, Answer: a}
			case a.State == dockercontext.None:
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s has no docker context %s\n", a.User, control.WhereWords(p.Place), p.Name)
				return nil
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed the docker context %s of %s %s\n", p.Name, a.User, control.WhereWords(p.Place))
			if a.Led.Current == p.Name {
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
	Led      dockercontext.Override  `json:"led"`
}

func contextLsCommand() *cobra.Command {
	var p console.Printer
	cmd := contextVerb("ls", "List the docker contexts", cobra.NoArgs,
		func(ctx context.Context, cmd *cobra.Command, at daemon.ContextPlace) error {
			a, err := at.AskContexts(ctx, "ls")
			if err != nil {
				return err
			}
			l := listed{at.Distro, a.User, a.List, a.Led}
			if l.Contexts == nil {
				l.Contexts = []dockercontext.Context{}
			}
			return p.Result(l, func(w io.Writer) error { printContexts(w, p.Err, l); return nil })
		})
	printerFlag(cmd, &p, "report as JSON, one object")
	return cmd
}

// printContexts lists contexts on out, and on notes what leads docker elsewhere.
func printContexts(out, notes io.Writer, l listed) {
	for _, c := range l.Contexts {
		whose := ""
		if c.Ours {
			whose = "  (ours)"
		}
		fmt.Fprintf(out, "%-16s  %s%s\n", c.Name, c.Host, whose)
	}
	for _, c := range l.Contexts {
		if note := l.Led.WhyAstray(c.Name, c.Host); c.Ours && note != "" {
			fmt.Fprintln(notes, advice.AstrayWords(c.Name, note))
		}
	}
}
