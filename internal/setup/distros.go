package setup

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// addSeenDistros adds those in which something was made. A purge also removes what the record tells of distros that are
// not there any more, and what tells nothing. A distro that a person's bridge serves has it all in use.
func (i *Installation) addSeenDistros(ctx context.Context, s *install.Seen, start bool) {
	made, broken, err := state.ReadRecords(i.state)
	s.Made, s.Purged = made, broken
	w, wslErr := distro.FindWSL()
	if wslErr != nil {
		return // there is no distro
	}
	names, listErr := w.ListDistros(ctx)
	has := func(name string) func(state.Made) bool {
		return func(m state.Made) bool { return strings.EqualFold(m.Distro, name) }
	}
	logged := func(string) (sure, perhaps bool) { return false, false }
	if err != nil || len(broken) > 0 {
		logged = i.servedByLogs()
	}
	for _, name := range names {
		served, perhaps := logged(name)
		served = served || slices.ContainsFunc(made, has(name))
		used := slices.ContainsFunc(i.others, func(f control.Found) bool {
			return strings.EqualFold(cmp.Or(f.Status.Link.ServedDistro(), f.Place.Distro), name)
		})
		if !served && !perhaps || used {
			continue
		}
		switch runs, err := w.IsDistroRunning(ctx, name); {
		case runs && err == nil, served && start:
			s.Cleaned = append(s.Cleaned, name)
		case served:
			s.Stopped = append(s.Stopped, name)
		}
	}
	for _, m := range made {
		if listErr == nil && !slices.ContainsFunc(names, func(n string) bool { return has(n)(m) }) {
			s.Purged = append(s.Purged, m.RecordFile(i.state))
		}
	}
}

// servedByLogs tells by the names of logs whether a distro was served. It is for what the record does not tell.
func (i *Installation) servedByLogs() func(distro string) (sure, perhaps bool) {
	logs, _ := filepath.Glob(filepath.Join(state.LogDir(i.state), "*.log"))
	of := func(distro string) bool {
		return slices.ContainsFunc(logs, func(l string) bool { return control.IsLog(filepath.Base(l), control.Chosen{Distro: distro}) })
	}
	return func(distro string) (sure, perhaps bool) {
		return of(distro), of(config.All) && !wsl.OfDockerDesktop(distro)
	}
}

// rememberFound has what logs alone told stay known until it is cleaned.
func (i *Installation) rememberFound(s install.Seen) (failed error) {
	for _, distro := range append(slices.Clone(s.Cleaned), s.Stopped...) {
		failed = errors.Join(failed, state.RecordIn(i.state, state.Made{Distro: distro}))
	}
	return failed
}

// cleanDistro undoes what was made in a distro.
func (i *Installation) cleanDistro(ctx context.Context, name string) error {
	w, err := distro.FindWSL()
	if err != nil {
		return err
	}
	agent, err := deploy.Own()
	if err != nil {
		return errors.Join(err, w.RemoveAgents(ctx, name))
	}
	return distro.CleanDistro(ctx, w, agent, name, i.state)
}
