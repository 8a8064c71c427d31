package distro

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// maxRecorded bounds the names on a command line, which have a hundred bytes each.
const maxRecorded = 50

// Contexts are the docker contexts of a distro's users. A process of each user reads and writes them.
type Contexts struct {
	WSL    WSL
	Agent  deploy.Binary
	Distro string
	State  string // the user's state directory, which has the record of those that were made
}

// ContextError says that there is no context as it was asked for, but somebody's own or another of ours.
type ContextError struct {
	Distro string
	dockercontext.Answer
}

func (e *ContextError) Error() string {
	what := "is not ours, or was changed since"
	if e.State == dockercontext.Taken {
		what = "is in use for another socket"
	}
	where := ""
	if e.Host != "" {
		where = "; it leads to " + e.Host
	}
	return fmt.Sprintf("the docker context %s of %s in %s %s%s", e.Name, e.User, e.Distro, what, where)
}

// recordedNames is the names of contexts that are known to have been made there, as the agent takes them,
// and the default one's: there is no other proof that one with the mark of the version before is ours.
func (c Contexts) recordedNames() string {
	names := []string{links.DefaultContext}
	made, _, _ := state.ReadRecords(c.State) // what can't be read proves nothing
	for _, m := range made {
		if strings.EqualFold(m.Distro, c.Distro) && dockercontext.CheckName(m.Context) == nil && !slices.Contains(names, m.Context) && len(names) < maxRecorded {
			names = append(names, m.Context)
		}
	}
	return "--recorded=" + strings.Join(names, ",")
}

// AskContexts has a process of a user, the distro's default one if that is empty, do something with contexts.
func (c Contexts) AskContexts(ctx context.Context, user string, args ...string) (dockercontext.Answer, error) {
	said, err := c.WSL.RunAgent(ctx, c.Distro, user, c.Agent, slices.Concat([]string{"context"}, args, []string{c.recordedNames()}))
	if err != nil {
		return dockercontext.Answer{}, err
	}
	a, err := dockercontext.ReadAnswer(said)
	var problem *dockercontext.ProblemError
	if errors.As(err, &problem) {
		problem.Distro = c.Distro
	}
	return a, err
}

// MakeContext makes the context of a socket, and records that.
func (c Contexts) MakeContext(ctx context.Context, socket, name string) (dockercontext.Answer, error) {
	if err := state.RecordIn(c.State, state.Made{Distro: c.Distro}); err != nil {
		return dockercontext.Answer{}, err
	}
	a, err := c.AskContexts(ctx, "", "create", name, "unix://"+socket)
	switch {
	case err != nil:
		return a, err
	case a.State == dockercontext.Foreign && a.Host == "unix://"+socket:
		return a, nil // its user's, and of use all the same
	case a.State != dockercontext.Made && a.State != dockercontext.Kept:
		return a, &ContextError{c.Distro, a}
	}
	return a, state.RecordIn(c.State, state.Made{Distro: c.Distro, Context: name, User: a.User})
}

// removeFrom removes those of ours from a distro that runs: the default user's, and those that others
// are known to have.
func (c Contexts) removeFrom(ctx context.Context, made []state.Made) error {
	a, err := c.AskContexts(ctx, "", "rm")
	done := map[string]bool{"": true, a.User: true}
	for _, m := range made {
		_, odd := wsl.Launch{User: m.User, Argv: []string{"true"}}.ArgList()
		if odd != nil || done[m.User] || !strings.EqualFold(m.Distro, c.Distro) {
			continue
		}
		done[m.User] = true
		if _, its := c.AskContexts(ctx, m.User, "rm"); !errors.Is(its, wsl.ErrUserNotFound) {
			err = errors.Join(err, its)
		}
	}
	if err != nil {
		return fmt.Errorf("remove docker contexts from %s: %w", c.Distro, err)
	}
	return nil
}

// CleanDistro has the agent's program remove from a distro all that bridges have made there but its own file, and then that.
// When all of it is done, and not before, the distro is forgotten. A socket of all distros is removed from any of them.
func CleanDistro(ctx context.Context, w WSL, agent deploy.Binary, distro, record string) error {
	made, _, _ := state.ReadRecords(record) // without a record there is what lies beside the agent's file
	var sockets []string
	for _, m := range made {
		if m.Socket != "" && (strings.EqualFold(m.Distro, distro) || paths.IsShared(m.Socket)) {
			sockets = append(sockets, m.Socket)
		}
	}
	contexts := Contexts{w, agent, distro, record}
	err := errors.Join(contexts.removeFrom(ctx, made), w.RemoveSockets(ctx, distro, agent, sockets), w.RemoveAgents(ctx, distro))
	if err != nil {
		return err
	}
	return state.ForgetDistro(record, distro)
}
