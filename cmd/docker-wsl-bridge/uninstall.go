package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

func uninstallCommand() *cobra.Command {
	var t telling
	var purge, start bool
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "Undo what install has done (Windows)",
		Long: `uninstall ends the installed program and removes what install has made: the
service with its instances, the scheduled task or the value of the Run key, the
program's files, and from distros that run the agent's file and the docker contexts
that lead to a bridge, those of the distro's default user. It works from any
half-done state, and again. What takes an administrator is named to who is none.

A distro that does not run is not started, but named, and remembered until it
is cleaned. Logs stay, unless --purge is given. Bridges that somebody has started
with up are left alone. For the machine an administrator also removes the tasks of
other users; what is in their own directories and distros stays, and is named.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t.out = cmd.OutOrStdout()
			i, err := findInstallation(cmd.Context())
			if err == nil {
				err = i.uninstall(cmd.Context(), &t, purge, start)
			}
			if err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
	tellingFlags(cmd, &t)
	cmd.Flags().BoolVar(&purge, "purge", false, "remove the logs, too")
	cmd.Flags().BoolVar(&start, "start-distros", false, "start the distros that don't run, to remove what is in them")
	return cmd
}

func (i *installation) uninstall(ctx context.Context, t *telling, purge, start bool) error {
	seen := i.seen(ctx)
	i.distros(ctx, &seen, start)
	seen.Purge, seen.Purged = purge, append(seen.Purged, i.logsToPurge()...)
	if i.elevated {
		i.othersOf(ctx, &seen)
	}
	changes := install.Uninstall(i.place, seen)
	var failed error // all else is removed before it is told
	if !t.dry {
		failed = i.rememberFound(seen)
	}
	made, err := i.change(ctx, t, changes, func(c install.Change) error {
		failed = errors.Join(failed, i.remove(ctx, c))
		return nil
	})
	text := "Nothing is installed any more.\n"
	if len(changes) == 0 {
		text = "There is nothing to remove.\n"
	}
	if left := install.Privileged(changes); left > 0 && !t.dry {
		failed = errors.Join(failed, fmt.Errorf("%d of these are left: %w", left, advice.ErrNeedsAdmin))
	}
	r := result{DryRun: t.dry, Changes: made, Hints: advice.LeftHints(i.kept, i.place.Programs, len(seen.Stopped) > 0, install.OfOthers(changes))}
	if i.kept != "" {
		r.Reason = i.kept + " is the program that runs just now"
		text = "Nothing is installed any more but a file: " + printable.Line(r.Reason) + "\n"
	}
	if err = errors.Join(failed, err); err != nil {
		text = ""
	}
	return errors.Join(err, t.result(r, text))
}

// othersOf adds what there is of other users. Everybody's program is their own, too.
func (i *installation) othersOf(ctx context.Context, s *install.Seen) {
	s.Others = i.machine.Others(i.shared.SID)
	for _, sid := range i.shared.OthersTasks(ctx, i.machine) {
		s.OthersTasks = append(s.OthersTasks, install.Place{SID: sid}.TaskName())
		if !slices.Contains(s.Others, sid) {
			s.Others = append(s.Others, sid)
		}
	}
}

// remove makes one of uninstall's changes.
func (i *installation) remove(ctx context.Context, c install.Change) error {
	switch c.Do {
	case install.Stop:
		return i.stop(ctx)
	case install.RemoveServ:
		return install.RemoveService(c.What)
	case install.RemoveSource:
		return install.RemoveEventSource()
	case install.RemoveMark:
		return install.RemoveMachine()
	case install.RemoveTask:
		if c.What != i.place.TaskName() {
			return install.RemoveOthersTask(ctx, c.What)
		}
		return i.place.RemoveTask(ctx)
	case install.RemoveRun:
		return install.RemoveRunKey()
	case install.Clean:
		return i.clean(ctx, c.What)
	case install.RemoveDir:
		return install.Remove(c.What, true)
	case install.RemoveFile:
		err := install.Remove(c.What, false)
		if exe, _ := os.Executable(); err != nil && strings.EqualFold(exe, c.What) {
			i.kept = exe // Windows keeps the file of a program that runs, and that is this one
			return nil
		}
		return err
	}
	return fmt.Errorf("there is no change %q", c.Do)
}
