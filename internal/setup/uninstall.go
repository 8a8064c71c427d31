package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

func (i *Installation) Uninstall(ctx context.Context, t *ChangePrinter, purge, start bool) error {
	seen := i.seenState(ctx)
	i.addSeenDistros(ctx, &seen, start)
	seen.Purge, seen.Purged = purge, append(seen.Purged, i.logsToPurge()...)
	if i.elevated {
		i.othersOf(ctx, &seen)
	}
	changes := install.PlanUninstall(i.Place, seen)
	var failed error // all else is removed before it is told
	if !t.Dry {
		failed = i.rememberFound(seen)
	}
	made, err := i.makeChanges(ctx, t, changes, func(c install.Change) error {
		failed = errors.Join(failed, i.removeOne(ctx, c))
		return nil
	})
	text := "Nothing is installed any more.\n"
	if len(changes) == 0 {
		text = "There is nothing to remove.\n"
	}
	if left := install.CountPrivileged(changes); left > 0 && !t.Dry {
		failed = errors.Join(failed, fmt.Errorf("%d of these are left: %w", left, advice.ErrNeedsAdmin))
	}
	r := changeResult{DryRun: t.Dry, Changes: made, Hints: advice.LeftHints(i.kept, i.Place.Programs, len(seen.Stopped) > 0, install.OfOthers(changes))}
	if i.kept != "" {
		r.Reason = i.kept + " is the program that runs just now"
		text = "Nothing is installed any more but a file: " + printable.Line(r.Reason) + "\n"
	}
	if err = errors.Join(failed, err); err != nil {
		text = ""
	}
	return errors.Join(err, t.printResult(r, text))
}

// othersOf adds what there is of other users. Everybody's program is their own, too.
func (i *Installation) othersOf(ctx context.Context, s *install.Seen) {
	s.Others = i.machine.OtherUsers(i.shared.SID)
	for _, sid := range i.shared.OthersTasks(ctx, i.machine) {
		s.OthersTasks = append(s.OthersTasks, install.Place{SID: sid}.TaskName())
		if !slices.Contains(s.Others, sid) {
			s.Others = append(s.Others, sid)
		}
	}
}

// removeOne makes one of uninstall's changes.
func (i *Installation) removeOne(ctx context.Context, c install.Change) error {
	switch c.Do {
	case install.Stop:
		return i.stopBridges(ctx)
	case install.RemoveServ:
		return install.RemoveService(c.What)
	case install.RemoveSource:
		return install.RemoveEventSource()
	case install.RemoveMark:
		return install.RemoveMachine()
	case install.RemoveTask:
		if c.What != i.Place.TaskName() {
			return install.RemoveOthersTask(ctx, c.What)
		}
		return i.Place.RemoveTask(ctx)
	case install.RemoveRun:
		return install.RemoveRunKey()
	case install.Clean:
		return i.cleanDistro(ctx, c.What)
	case install.RemoveDir:
		return install.RemovePath(c.What, true)
	case install.RemoveFile:
		err := install.RemovePath(c.What, false)
		if exe, _ := os.Executable(); err != nil && strings.EqualFold(exe, c.What) {
			i.kept = exe // Windows keeps the file of a program that runs, and that is this one
			return nil
		}
		return err
	}
	return fmt.Errorf("there is no change %q", c.Do)
}
