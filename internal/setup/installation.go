// Package setup carries out what install plans: it looks at what is there, makes the changes one by one and tells each,
// waits until what was started serves, and tells how that is used.
//
// Which changes there are is install's to say. Law: with a dry run nothing is changed; what needs an administrator is
// named to who is none; an uninstall starts from whatever is there.
package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

const (
	// comeUpTime bounds the wait for a program that was started: a cold WSL takes half a minute.
	comeUpTime = 90 * time.Second
	// taskTime is what the Task Scheduler gets to start it, before we do.
	taskTime = 10 * time.Second
	// settleTime is how long those that run are waited for before it is looked for others.
	settleTime = time.Second
	lookTime   = 100 * time.Millisecond
)

// Installation is this user's, there or not.
type Installation struct {
	Place   install.Place // the one in use
	own     install.Place // with the programs of this user
	shared  install.Place // with those of the machine
	state   string
	Record  *install.Record
	bridges []control.Found // of the installed program
	others  []control.Found // that a person has started
	kept    string          // a program's file that could not be removed

	elevated bool   // we have an administrator's rights
	desktop  string // the SID of the desktop's user, empty if that can't be told
	service  install.Registered
	earlier  *install.Earlier // the service that ours is about to replace, removed already
	machine  *install.Machine // what is recorded for all users, nil if nothing is
}

// RecordedInstallation is what is installed for this user, nil if nothing is.
func RecordedInstallation() *install.Record {
	i, err := LookUp()
	if err != nil {
		return nil // what can't be read tells nothing
	}
	return i.Record
}

// IsInstalled tells whether a program is the installed one of this user.
func IsInstalled(program string) bool {
	i, err := LookUp()
	return err == nil && i.Record != nil && i.hasProgram(program)
}

// hasProgram tells whether a program lies in the directory of the installation.
func (i *Installation) hasProgram(program string) bool {
	return strings.EqualFold(filepath.Dir(program), i.Place.Programs)
}

// InstalledWords say it in a line.
func InstalledWords(r *install.Record) string {
	return fmt.Sprintf("started %s; version %s, %s", formWords(r), r.Version, r.Programs)
}

// FindInstallation looks at what there is.
func FindInstallation(ctx context.Context) (*Installation, error) {
	i, err := LookUp()
	if err != nil {
		return nil, err
	}
	return i, i.findBridges(ctx)
}

// LookUp reads what is recorded.
func LookUp() (*Installation, error) {
	if runtime.GOOS != "windows" {
		return nil, advice.ErrWindowsOnly
	}
	dir, err := state.Dir()
	if err != nil {
		return nil, err
	}
	sid, err := install.CurrentSID()
	if err != nil {
		return nil, fmt.Errorf("find user: %w", err)
	}
	own := install.PlaceAt(os.Getenv("LOCALAPPDATA"), dir, sid)
	i := &Installation{
		Place: own, own: own, shared: own.ForAllUsers(install.ProgramFiles()), state: dir,
		elevated: install.IsElevated(), desktop: install.DesktopUser(),
	}
	if i.Record, err = own.ReadRecord(); err == nil {
		i.machine, err = install.ReadMachine()
	}
	if err == nil {
		i.service, err = install.LookForService()
	}
	if err != nil {
		return nil, err
	}
	if i.Record == nil && i.machine.IsFor(sid) {
		i.Record = &install.Record{Version: i.machine.Version, Form: install.ByService, Programs: i.shared.Programs, Args: i.machine.Args}
	}
	if i.Record != nil && i.Record.Form == install.ByService {
		i.Place = i.shared
	}
	return i, nil
}

// findBridges finds which bridges run.
func (i *Installation) findBridges(ctx context.Context) error {
	all, err := control.RunningBridges(ctx, control.Chosen{})
	i.sortBridges(all)
	return err
}

// sortBridges tells the bridges of the installed program from those of a person.
func (i *Installation) sortBridges(all []control.Found) {
	i.bridges, i.others = nil, nil
	for _, f := range all {
		if i.hasProgram(f.Status.Program) {
			i.bridges = append(i.bridges, f)
		} else {
			i.others = append(i.others, f)
		}
	}
}

// seenState is what changes start from.
func (i *Installation) seenState(ctx context.Context) install.Seen {
	s := install.Seen{
		Record: i.Record, Files: install.ExistingFiles(append(i.own.OwnedFiles(), i.shared.OwnedPrograms()...)),
		Task: i.Place.HasTask(ctx, i.Record != nil && i.Record.Form != install.RunKey), RunKey: install.HasRunKey(),
		Elevated: i.elevated, Shared: i.shared, Service: i.service, Machine: i.machine, EventSource: install.HasEventSource(),
	}
	s.Bridges = i.bridgeNames()
	return s
}

// bridgeNames name the bridges.
func (i *Installation) bridgeNames() (list []string) {
	for _, f := range i.bridges {
		list = append(list, fmt.Sprintf("the bridge for %s (pid %d)", control.PlaceName(f.Place), f.PID))
	}
	return list
}

// logsToPurge are those of bridges that don't run.
func (i *Installation) logsToPurge() []string {
	all, _ := filepath.Glob(filepath.Join(state.LogDir(i.state), "*.log*"))
	return slices.DeleteFunc(all, func(file string) bool {
		return slices.ContainsFunc(i.others, func(f control.Found) bool {
			return strings.HasPrefix(file, state.LogFile(i.state, f.Place.Distro, f.Place.ID()))
		})
	})
}

// startRegistered starts what is registered. That one which runs already wins is the program's own affair.
// With an administrator's rights it would see pipes and drives as another one does: then only the
// task starts what a service starts at logon.
func (i *Installation) startRegistered(ctx context.Context) error {
	if i.Record.Form != install.RunKey {
		err := i.startTask(ctx)
		if err == nil || i.Record.Form == install.ByService && i.elevated {
			return err
		}
	}
	return i.Place.StartProgram(i.Record.Args)
}

func (i *Installation) startTask(ctx context.Context) error {
	if i.Record.Form == install.ByService && !i.Place.HasTask(ctx, false) {
		if err := i.Place.AddTask(ctx, install.ByService, i.Record.Args); err != nil {
			return err
		}
	}
	if err := i.Place.RunTask(ctx); err != nil {
		return err
	}
	return i.awaitBridges(ctx, taskTime, func() bool { return len(i.bridges) > 0 })
}

// awaitBridges waits for the bridges until something holds, and looks at them then, or says errNotUp.
func (i *Installation) awaitBridges(ctx context.Context, bound time.Duration, holds func() bool) error {
	bounded, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	for {
		all, err := control.SettledBridges(bounded, settleTime)
		if err != nil && bounded.Err() == nil {
			return err
		}
		if bounded.Err() == nil {
			i.sortBridges(all)
		}
		if bounded.Err() != nil || holds() {
			if err := i.findBridges(ctx); err != nil && ctx.Err() == nil {
				return err
			}
			if holds() {
				return nil
			}
		}
		select {
		case <-time.After(lookTime):
		case <-bounded.Done():
			return advice.ErrNotUp
		}
	}
}

// stopBridges ends the bridges of the installed program.
func (i *Installation) stopBridges(ctx context.Context) error {
	err := errors.Join(control.StopAllInstances(ctx, i.bridges)...)
	if err == nil {
		i.bridges = nil
	}
	return err
}
