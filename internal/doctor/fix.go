package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/setup"
)

// fix is what doctor may do itself: it takes no administrator, starts and ends no distro, engine or
// bridge, and cuts no connection.
type fix struct {
	Code  codes.Code `json:"code"`
	What  string     `json:"what"`
	Done  bool       `json:"done"`
	Error string     `json:"error,omitempty"`

	do func(context.Context) error
}

// fixTime bounds all of them; a distro may have to start.
const fixTime = 90 * time.Second

// fixesFor are those for what has failed.
func fixesFor(found []Finding, seen Seen, p Target) (list []fix) {
	for _, f := range found {
		if f.Verdict != Failed {
			continue
		}
		if what, do := fixFor(f, seen, p); do != nil {
			list = append(list, fix{Code: f.Code, What: what, do: do})
		}
	}
	return list
}

func fixFor(f Finding, seen Seen, p Target) (what string, do func(context.Context) error) {
	var wrong *install.WrongError
	served := seen.Bridge != nil && seen.Bridge.Err == nil
	switch {
	case f.Code == codes.SocketAccess && served && !seen.Place.IsInEveryDistro(): // there it is an access list
		l := seen.Bridge.Status.Link
		return fmt.Sprintf("give %s to %s again, with mode %s", control.PlaceName(seen.Place), l.Owner, l.Mode), asRoot(seen, p, "access", l.Mode, l.Owner)
	case f.Code == codes.SocketServed && path.Dir(seen.Place.Socket) == deploy.Dir:
		return "remove " + control.PlaceName(seen.Place) + ", at which nobody listens", asRoot(seen, p, "clean", "0", "0")
	case errors.Is(f.Err, ErrNoContext) && served && seen.Bridge.Status.Link.Context != "":
		l := seen.Bridge.Status.Link
		return fmt.Sprintf("make the docker context %s in %s", l.Context, l.Distro), func(ctx context.Context) error { return daemon.MadeFor(ctx, l).Err }
	case errors.As(f.Err, &wrong) && wrong.Repair:
		return "register again what starts the program at logon", repairInstalled
	}
	return "", nil
}

// asRoot runs the agent's program, which is there: it has seen what is wrong.
func asRoot(seen Seen, p Target, args ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		w, err := distro.FindWSL()
		if err != nil {
			return err
		}
		argv := append([]string{p.Agent}, args...)
		_, err = w.AsRoot(ctx, seen.Distro, append(argv, seen.Place.Socket))
		return err
	}
}

func repairInstalled(ctx context.Context) error {
	i, err := setup.LookUp()
	if err != nil {
		return err
	}
	if i.Record == nil {
		return advice.ErrNotInstalled
	}
	return i.Place.RepairRecord(ctx, *i.Record)
}

// makeFixes tells of each and makes it. Without a writer nobody is told.
func makeFixes(ctx context.Context, list []fix, out io.Writer, dry bool) {
	ctx, cancel := context.WithTimeout(ctx, fixTime)
	defer cancel()
	for i, f := range list {
		if out != nil {
			fmt.Fprintf(out, "fixing   %s  %s\n", f.Code, printable.Line(f.What))
		}
		if dry {
			continue
		}
		err := f.do(ctx)
		if list[i].Done = err == nil; err == nil {
			continue
		}
		list[i].Error = err.Error()
		if out != nil {
			fmt.Fprintf(out, "         %s\n", printable.Line("that failed: "+list[i].Error))
		}
	}
}
