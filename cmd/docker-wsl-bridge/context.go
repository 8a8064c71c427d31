package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

const (
	// defaultContext is the docker context of the default socket.
	defaultContext = "windows"
	noContext      = "none"
	// contextTime bounds one that is made beside what is more important; it takes half a second.
	contextTime = 10 * time.Second
	// commandTime bounds a command of a person, who may have to wait for a distro to start.
	commandTime = 90 * time.Second
	// maxRecorded bounds the names on a command line, which have a hundred bytes each.
	maxRecorded = 50
)

// understandContext finds the context's name: two bridges of a distro must not fight over one, so that
// only the default socket has one without being asked. Empty is none.
func (o *options) understandContext() error {
	asked := o.context
	switch {
	case asked == noContext:
		o.context = ""
	case o.kind == kindRaw && asked != "":
		return errors.New("a docker context leads to Docker, and raw carries something else")
	case asked == "" && o.kind == kindDocker && o.socket == defaultSocket:
		o.context = defaultContext
	}
	if o.context == "" {
		return nil
	}
	return dockercontext.CheckName(o.context)
}

// contextError says that there is no context as it was asked for, but somebody's own or another of ours.
type contextError struct {
	distro string
	dockercontext.Answer
}

func (e *contextError) Error() string {
	what := "is not ours, or was changed since"
	if e.State == dockercontext.Taken {
		what = "is in use for another socket"
	}
	where := ""
	if e.Host != "" {
		where = "; it leads to " + e.Host
	}
	return fmt.Sprintf("the docker context %s of %s in %s %s%s", e.Name, e.User, e.distro, what, where)
}

// recordedContexts are the names of contexts that are known to have been made in a distro, as the agent takes
// them, and the default one's: there is no other proof that one with the mark of the version before is ours.
func recordedContexts(distro string) string {
	names := []string{defaultContext}
	if state, err := stateDir(); err == nil {
		made, _, _ := install.Remembered(state) // what can't be read proves nothing
		for _, m := range made {
			if strings.EqualFold(m.Distro, distro) && dockercontext.CheckName(m.Context) == nil && !slices.Contains(names, m.Context) && len(names) < maxRecorded {
				names = append(names, m.Context)
			}
		}
	}
	return "--recorded=" + strings.Join(names, ",")
}

// askContexts has a process of a user, the distro's default one if that is empty, do something with contexts.
func askContexts(ctx context.Context, w distro.WSL, distro, user string, agent deploy.Binary, args ...string) (dockercontext.Answer, error) {
	said, err := w.RunAgent(ctx, distro, user, agent, slices.Concat([]string{"context"}, args, []string{recordedContexts(distro)}))
	if err != nil {
		return dockercontext.Answer{}, err
	}
	a, err := dockercontext.ReadAnswer(said)
	var problem *dockercontext.ProblemError
	if errors.As(err, &problem) {
		problem.Distro = distro
	}
	return a, err
}

// makeContext makes the context of a socket.
func makeContext(ctx context.Context, w distro.WSL, agent deploy.Binary, place control.Place, name string) (dockercontext.Answer, error) {
	if err := remember(install.Made{Distro: place.Distro}); err != nil {
		return dockercontext.Answer{}, err
	}
	a, err := askContexts(ctx, w, place.Distro, "", agent, "create", name, "unix://"+place.Socket)
	switch {
	case err != nil:
		return a, err
	case a.State == dockercontext.Foreign && a.Host == "unix://"+place.Socket:
		return a, nil // its user's, and of use all the same
	case a.State != dockercontext.Made && a.State != dockercontext.Kept:
		return a, &contextError{place.Distro, a}
	}
	return a, remember(install.Made{Distro: place.Distro, Context: name, User: a.User})
}

// removeContexts removes those of ours from a distro that runs: the default user's, and those that others
// are known to have.
func removeContexts(ctx context.Context, w distro.WSL, distro string, agent deploy.Binary, made []install.Made) error {
	a, err := askContexts(ctx, w, distro, "", agent, "rm")
	done := map[string]bool{"": true, a.User: true}
	for _, m := range made {
		_, odd := wsl.Launch{User: m.User, Argv: []string{"true"}}.Args()
		if odd != nil || done[m.User] || !strings.EqualFold(m.Distro, distro) {
			continue
		}
		done[m.User] = true
		if _, its := askContexts(ctx, w, distro, m.User, agent, "rm"); !errors.Is(its, wsl.ErrUserNotFound) {
			err = errors.Join(err, its)
		}
	}
	if err != nil {
		return fmt.Errorf("remove docker contexts from %s: %w", distro, err)
	}
	return nil
}

// named is a docker context that leads to the socket.
type named struct {
	name string // empty: there is none
	note string // what keeps `docker context use` from having an effect
	err  error  // why there is none, if one was wanted
}

func namedBy(name string, a dockercontext.Answer, err error) named {
	if err != nil {
		return named{err: err}
	}
	return named{name: name, note: a.Led.Astray(name, a.Host)}
}

// namer has the context made as soon as the socket is served. It must hold up nobody who carries.
type namer struct {
	o     *options
	w     distro.WSL
	agent deploy.Binary
	log   *slog.Logger
}

// event gives what came of it, or nil if it is not the time.
func (n *namer) event(ctx context.Context, e daemon.Event) *named {
	if e.State != daemon.Serving || n.o.context == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, contextTime)
	defer cancel()
	a, err := makeContext(ctx, n.w, n.agent, control.Place{Distro: n.o.distro, Socket: n.o.socket}, n.o.context)
	if err != nil {
		n.log.Warn("docker context", "error", err)
	} else {
		n.log.Info("docker context", "name", n.o.context, "user", a.User, "state", string(a.State))
	}
	made := namedBy(n.o.context, a, err)
	return &made
}

// madeFor makes the context of a link that another program serves.
func madeFor(ctx context.Context, l control.Link) named {
	ctx, cancel := context.WithTimeout(ctx, contextTime)
	defer cancel()
	agent, err := ownAgent()
	if err != nil {
		return named{err: err}
	}
	w, err := distro.FindWSL()
	if err != nil {
		return named{err: err}
	}
	a, err := makeContext(ctx, w, agent, l.Place(), l.Context)
	return namedBy(l.Context, a, err)
}

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
	var c chosen
	cmd := &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := defaultContext
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
	cmd.Flags().StringVarP(&c.distro, "distro", "d", "", "the distro's `name` (default: that of the bridge that runs, else WSL's\ndefault distro)")
	cmd.Flags().StringVar(&c.socket, "socket", "", "the socket's `path` (default: that of the bridge that runs, else\n"+defaultSocket+")")
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
func findPlace(ctx context.Context, c chosen) (p placed, err error) {
	p.Place = control.Place{Distro: c.distro, Socket: cmp.Or(c.socket, defaultSocket)}
	bridges, err := running(ctx, c)
	bridges = slices.DeleteFunc(bridges, func(f control.Found) bool { return isPipe(f.Place) })
	if err == nil && len(bridges) == 1 {
		p.Place = bridges[0].Place
		if p.Everywhere() {
			p.Distro = bridges[0].Status.Link.Host
		}
	}
	if p.agent, err = ownAgent(); err != nil {
		return p, err
	}
	if p.w, err = distro.FindWSL(); err != nil {
		return p, err
	}
	p.Distro, err = p.w.Choose(ctx, p.Distro)
	return p, err
}

func (p placed) ask(ctx context.Context, args ...string) (dockercontext.Answer, error) {
	if err := remember(install.Made{Distro: p.Distro}); err != nil {
		return dockercontext.Answer{}, err // the agent's file may be new there
	}
	return askContexts(ctx, p.w, p.Distro, "", p.agent, args...)
}

func contextCreateCommand() *cobra.Command {
	return contextVerb("create [NAME]", "Make a docker context that leads to a socket", cobra.MaximumNArgs(1),
		func(ctx context.Context, cmd *cobra.Command, p placed) error {
			a, err := makeContext(ctx, p.w, p.agent, p.Place, p.name)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "docker --context %s of %s leads to %s\n", p.name, a.User, placeName(p.Place))
			if note := a.Led.Astray(p.name, a.Host); note != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), astrayWords(p.name, note))
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
				return &contextError{p.Distro, a}
			case a.State == dockercontext.None:
				fmt.Fprintf(cmd.OutOrStdout(), "%s in %s has no docker context %s\n", a.User, p.Distro, p.name)
				return nil
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed the docker context %s of %s in %s\n", p.name, a.User, p.Distro)
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
					fmt.Fprintln(cmd.ErrOrStderr(), astrayWords(c.Name, note))
				}
			}
			return nil
		})
	cmd.Flags().BoolVar(&asJSON, "json", false, "report as JSON, one object")
	return cmd
}

func astrayWords(name, note string) string {
	return fmt.Sprintf("%s there: docker context use %s has no effect while it is, docker --context %s has", note, name, name)
}
