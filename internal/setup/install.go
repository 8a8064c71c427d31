package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// ChangePrinter says how changes are reported.
type ChangePrinter struct {
	console.Printer
	Dry bool
}

// changeResult is what a script is told.
type changeResult struct {
	DryRun  bool             `json:"dryRun"`
	Changes []install.Change `json:"changes"`
	Form    install.Form     `json:"form,omitempty"`
	Why     string           `json:"why,omitempty"`         // it is not the task
	Off     string           `json:"switchedOff,omitempty"` // why Windows does not start it at logon all the same
	serveOutcome
	Bridges []bridgeOutcome `json:"bridges,omitempty"`
	Hints   []codes.Hint    `json:"hints,omitempty"`
}

// servedByAnother finds a bridge that a person has started and that serves what run would with these
// arguments: the place that the options say, or the configuration. What is wrong with that is mayStart's
// to tell.
func (i *Installation) servedByAnother(args []string, l links.Link) error {
	c, err := links.ForArgs(args)
	if err != nil {
		return nil
	}
	places, file := []control.Place{{Distro: l.Distro, Socket: l.Socket}}, ""
	if c != nil {
		if file, err = links.UserFile(); err != nil {
			return err
		}
		places = linkPlaces(c)
	}
	for _, f := range i.others {
		same := func(p control.Place) bool { return samePlace(p, f.Place) }
		if file != "" && f.Status.Config == file || slices.ContainsFunc(places, same) {
			why := fmt.Errorf("%s is served already, by pid %d, which is not the installed program", control.PlaceName(f.Place), f.PID)
			return advice.With(why, advice.ServedHints(f.Place))
		}
	}
	return nil
}

func linkPlaces(c *links.Set) (list []control.Place) {
	for _, l := range c.Links {
		list = append(list, control.Place{Distro: l.Distro, Socket: l.Socket})
	}
	return list
}

// samePlace tells whether what is wanted would be where something is. Without a distro it may be any one's;
// a pipe is Windows', where names have no case.
func samePlace(wanted, is control.Place) bool {
	if control.IsPipe(wanted) {
		return strings.EqualFold(wanted.Socket, is.Socket)
	}
	return wanted.Socket == is.Socket && (wanted.Distro == "" || strings.EqualFold(wanted.Distro, is.Distro))
}

// Install brings about what is wanted.
func (i *Installation) Install(ctx context.Context, l links.Link, t *ChangePrinter, w install.Want, who *Scope) error {
	if err := i.mayInstall(w, who); err != nil {
		return err
	}
	if err := i.servedByAnother(w.Args, l); err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own file: %w", err)
	}
	w.From = filepath.Dir(exe)
	seen := i.seenState(ctx)
	if seen.Stale, err = i.Place.StalePrograms(w.From); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", advice.ErrNoPrograms, err)
	} else if err != nil {
		return err
	}
	changes := install.PlanInstall(i.Place, seen, w)
	if w.Form == install.ByService {
		changes = install.MachineWide(i.Place, seen, w)
	}
	if err := mayStart(changes, w.Args); err != nil {
		return err
	}
	made, err := i.makeChanges(ctx, t, changes, func(c install.Change) error { return i.makeInstalled(ctx, c, w, who.acceptsRunKey()) })
	if err != nil {
		err = i.putBack(err)
	}
	r := changeResult{DryRun: t.Dry, Changes: made}
	if err != nil || t.Dry {
		return errors.Join(err, t.printResult(r, ""))
	}
	if w.Form == install.ByService && w.User == "" {
		return i.forAll(ctx, t, r)
	}
	return i.waitAndReport(ctx, t, r)
}

// forAll tells what comes of a service that nobody has just now.
func (i *Installation) forAll(ctx context.Context, t *ChangePrinter, r changeResult) error {
	r.Hints = []codes.Hint{advice.InstalledForAllHint()}
	text := "\nIt starts at each user's next logon.\n"
	service, err := install.LookForService()
	if err != nil {
		return err
	}
	var off *install.OffError
	if errors.As(i.shared.WhySwitchedOff(ctx, install.Record{Form: install.ByService}, service), &off) {
		text = "\nIt does not start at a logon: " + off.Error() + "\n"
		r.Off, r.Hints = off.Text, append(r.Hints, advice.SwitchOnHint(off))
	}
	return t.printResult(r, text)
}

// makeInstalled makes one of install's changes.
func (i *Installation) makeInstalled(ctx context.Context, c install.Change, w install.Want, either bool) error {
	next := install.Record{Version: w.Version, Programs: i.Place.Programs, Args: w.Args, Form: install.RunKey}
	if w.Form == install.ByService {
		next.Form = install.ByService
	}
	switch c.Do {
	case install.Stop:
		return i.stopBridges(ctx)
	case install.Copy:
		return install.PutProgram(filepath.Join(w.From, filepath.Base(c.What)), c.What)
	case install.AddTask:
		err := i.Place.AddTask(ctx, w.Form, w.Args)
		switch {
		case err == nil:
			next.Form = w.Form
		case either:
			next.Why = err.Error()
			if err = i.Place.SetRunKey(w.Args); err != nil {
				err = fmt.Errorf("%s; %w", next.Why, err)
			}
		}
		i.Record = &next
		return err
	case install.AddService:
		if err := install.ServiceTemplate(i.Place, w.Args).AddService(); err != nil {
			return advice.With(err, advice.ServiceHints())
		}
		i.earlier = nil
		return nil
	case install.RemoveServ:
		return i.takeAway(c.What)
	case install.AddSource:
		return install.AddEventSource()
	case install.AddMark:
		i.machine = i.machine.WithWant(w)
		return i.machine.WriteRecord()
	case install.AddRunKey:
		i.Record = &next
		return i.Place.SetRunKey(w.Args)
	case install.RemoveRun:
		if i.Record.Form == install.RunKey {
			return nil // it has just taken the task's place
		}
		return install.RemoveRunKey()
	case install.RemoveTask:
		return i.Place.RemoveTask(ctx)
	case install.AddRecord:
		return i.Place.WriteRecord(*i.Record)
	case install.Start:
		return i.startRegistered(ctx)
	}
	return fmt.Errorf("there is no change %q", c.Do)
}

// mayStart refuses changes that start the program while its configuration is wrong: it would end at once,
// and what ran would have been ended for it.
func mayStart(changes []install.Change, args []string) error {
	if !slices.ContainsFunc(changes, func(c install.Change) bool { return c.Do == install.Start }) {
		return nil
	}
	if _, wrong := links.ForArgs(args); wrong != nil {
		return advice.With(fmt.Errorf("nothing was changed: %w", wrong), []codes.Hint{advice.ConfigCheckHint()})
	}
	return nil
}

// makeChanges tells of each change and makes it. It gives those that were made, or would be.
func (i *Installation) makeChanges(ctx context.Context, t *ChangePrinter, changes []install.Change, do func(install.Change) error) ([]install.Change, error) {
	for n, c := range changes {
		if !t.JSON {
			if _, err := fmt.Fprintln(t.Out, printable.Escape(c.String())); err != nil {
				return changes[:n], err
			}
		}
		if t.Dry || c.Do == install.Leave {
			continue
		}
		if err := do(c); err != nil {
			return changes[:n], err
		}
	}
	return changes, nil
}

// formWords say what starts it, and why.
func formWords(r *install.Record) string {
	switch {
	case r.Form == install.ByService:
		return "by a service, as each user: an administrator has installed it"
	case r.Form == install.Task:
		return "by a scheduled task: it is for this user alone, and takes no administrator"
	case r.Why != "":
		return "by the Run key; not by a scheduled task: " + printable.Line(r.Why)
	}
	return "by the Run key, as asked for"
}

// printResult tells a script all, and a person the text and the hints.
func (t *ChangePrinter) printResult(r changeResult, text string) error {
	if r.Changes == nil {
		r.Changes = []install.Change{}
	}
	if t.Dry {
		text = "Nothing was changed.\n"
	}
	for _, h := range r.Hints {
		text += console.HintLine(h)
	}
	return t.Result(r, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

func (i *Installation) StartAgain(ctx context.Context, t *ChangePrinter, stops bool) error {
	if i.Record == nil {
		return advice.ErrNotInstalled
	}
	var changes []install.Change
	if stops {
		for _, words := range i.bridgeNames() {
			changes = append(changes, install.Change{Do: install.Stop, What: words})
		}
	}
	if stops || len(i.bridges) == 0 {
		changes = append(changes, install.Change{Do: install.Start, What: i.Place.ProgramFile(install.Windowed), Note: strings.Join(i.Record.Args, " ")})
	}
	if err := mayStart(changes, i.Record.Args); err != nil {
		return err
	}
	made, err := i.makeChanges(ctx, t, changes, func(c install.Change) error {
		if c.Do == install.Stop {
			return i.stopBridges(ctx)
		}
		return i.startRegistered(ctx)
	})
	if err != nil {
		return err
	}
	return i.waitAndReport(ctx, t, changeResult{Changes: made})
}

// WrongFiles is what is wrong with the files, if what is started next reads them: what is installed, or up.
func WrongFiles(installed *install.Record) error {
	if installed == nil {
		installed = &install.Record{}
	}
	_, err := links.ForArgs(installed.Args)
	return err
}
