package daemon

import (
	"context"
	"errors"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
)

var errEnding = errors.New("it is at its end")

// reloadFiles reads the files again. What is wrong with them changes nothing. Whoever leaves before its turn
// changes nothing either; a change that has begun comes to its end.
func (f *daemon) reloadFiles(ctx context.Context) (done control.Reloaded, err error) {
	if !f.applyOneChange(ctx, func() { done, err = f.reloadNow() }) {
		if f.ctx.Err() != nil {
			return done, errEnding
		}
		return done, context.Cause(ctx)
	}
	return done, err
}

func (f *daemon) reloadNow() (control.Reloaded, error) {
	list, err := f.o.Load()
	if err != nil {
		f.own.Warn("the configuration was not reloaded", "error", err)
		return control.Reloaded{}, err
	}
	done := f.arrangeWantedLinks(list)
	f.own.Info("the configuration was reloaded", "added", done.Added, "removed", done.Removed, "changed", done.Changed)
	return done, nil
}

// compareLinks tells how links differ.
func compareLinks(before, now []links.Link) control.Reloaded {
	done := control.Reloaded{Added: []string{}, Removed: []string{}, Changed: []string{}, Unchanged: []string{}}
	for i := range now {
		l := &now[i]
		switch old := links.FindNamed(before, l.Name); {
		case old == nil:
			done.Added = append(done.Added, l.Name)
		case old.Equal(l):
			done.Unchanged = append(done.Unchanged, l.Name)
		default:
			done.Changed = append(done.Changed, l.Name)
		}
	}
	for i := range before {
		if links.FindNamed(now, before[i].Name) == nil {
			done.Removed = append(done.Removed, before[i].Name)
		}
	}
	return done
}
