package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// telling says how changes are reported.
type telling struct {
	out       io.Writer
	dry, json bool
}

// tellingFlags are those that say how changes are reported.
func tellingFlags(cmd *cobra.Command, t *telling) {
	cmd.Flags().BoolVar(&t.dry, "dry-run", false, "print every change, and make none")
	cmd.Flags().BoolVar(&t.json, "json", false, "report as JSON, one object")
}

// result is what a script is told.
type result struct {
	DryRun  bool             `json:"dryRun"`
	Changes []install.Change `json:"changes"`
	Form    install.Form     `json:"form,omitempty"`
	Why     string           `json:"why,omitempty"`         // it is not the task
	Off     string           `json:"switchedOff,omitempty"` // why Windows does not start it at logon all the same
	outcome
	Bridges []bridgeOutcome `json:"bridges,omitempty"`
	Hints   []codes.Hint    `json:"hints,omitempty"`
}

func installCommand() *cobra.Command {
	var o options
	var t telling
	var who audience
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Have it start at logon, and now (Windows)",
		Long: `install has the program start at each logon, starts it, and waits until it
serves. Called again it changes what differs: flags, version, or nothing.

In an ordinary window it is for this user: it copies the program to
%LOCALAPPDATA%\Programs\docker-wsl-bridge, and a scheduled task with the user's
own rights starts it or, where that is not allowed, the user's Run key.

In an administrator's window it copies the program to
%ProgramFiles%\docker-wsl-bridge and registers a per-user service: Windows runs
an instance of it in each user's session, as that user. It serves for who has
installed it, and with --all-users for everybody.

docker-wsl-bridge uninstall undoes it.`,
		Example: `  docker-wsl-bridge install
  docker-wsl-bridge install --dry-run
  docker-wsl-bridge install --distro Ubuntu --keep-alive while-running
  docker-wsl-bridge install --all-users`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := findInstallation(cmd.Context())
			if err != nil {
				return &failure{error: err}
			}
			w, err := who.want(i)
			if err != nil {
				return err
			}
			w.Version, w.Args = version, links.RunArgs(cmd.Flags())
			if err := o.parse("windows"); err != nil {
				return err
			}
			t.out = cmd.OutOrStdout()
			if err := i.install(cmd.Context(), o.link, &t, w, &who); err != nil {
				return &failure{err, o.link.Distro}
			}
			return nil
		},
	}
	o.bind(cmd.Flags())
	tellingFlags(cmd, &t)
	audienceFlags(cmd, &who)
	return cmd
}

// servedByAnother finds a bridge that a person has started and that serves what run would with these
// arguments: the place that the options say, or the configuration. What is wrong with that is mayStart's
// to tell.
func (i *installation) servedByAnother(args []string, l links.Link) error {
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

// install brings about what is wanted.
func (i *installation) install(ctx context.Context, l links.Link, t *telling, w install.Want, who *audience) error {
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
	seen := i.seen(ctx)
	if seen.Stale, err = i.place.Stale(w.From); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", advice.ErrNoPrograms, err)
	} else if err != nil {
		return err
	}
	changes := install.Install(i.place, seen, w)
	if w.Form == install.ByService {
		changes = install.MachineWide(i.place, seen, w)
	}
	if err := mayStart(changes, w.Args); err != nil {
		return err
	}
	made, err := i.change(ctx, t, changes, func(c install.Change) error { return i.makeInstalled(ctx, c, w, who.either()) })
	if err != nil {
		err = i.putBack(err)
	}
	r := result{DryRun: t.dry, Changes: made}
	if err != nil || t.dry {
		return errors.Join(err, t.result(r, ""))
	}
	if w.Form == install.ByService && w.User == "" {
		return i.forAll(ctx, t, r)
	}
	return i.conclude(ctx, t, r)
}

// forAll tells what comes of a service that nobody has just now.
func (i *installation) forAll(ctx context.Context, t *telling, r result) error {
	r.Hints = []codes.Hint{advice.InstalledForAllHint()}
	text := "\nIt starts at each user's next logon.\n"
	service, err := install.LookForService()
	if err != nil {
		return err
	}
	var off *install.OffError
	if errors.As(i.shared.Off(ctx, install.Record{Form: install.ByService}, service), &off) {
		text = "\nIt does not start at a logon: " + off.Error() + "\n"
		r.Off, r.Hints = off.Text, append(r.Hints, advice.SwitchOnHint(off))
	}
	return t.result(r, text)
}

// makeInstalled makes one of install's changes.
func (i *installation) makeInstalled(ctx context.Context, c install.Change, w install.Want, either bool) error {
	next := install.Record{Version: w.Version, Programs: i.place.Programs, Args: w.Args, Form: install.RunKey}
	if w.Form == install.ByService {
		next.Form = install.ByService
	}
	switch c.Do {
	case install.Stop:
		return i.stop(ctx)
	case install.Copy:
		return install.Put(filepath.Join(w.From, filepath.Base(c.What)), c.What)
	case install.AddTask:
		err := i.place.AddTask(ctx, w.Form, w.Args)
		switch {
		case err == nil:
			next.Form = w.Form
		case either:
			next.Why = err.Error()
			if err = i.place.SetRunKey(w.Args); err != nil {
				err = fmt.Errorf("%s; %w", next.Why, err)
			}
		}
		i.record = &next
		return err
	case install.AddService:
		if err := install.Service(i.place, w.Args).Add(); err != nil {
			return advice.With(err, advice.ServiceHints())
		}
		i.earlier = nil
		return nil
	case install.RemoveServ:
		return i.takeAway(c.What)
	case install.AddSource:
		return install.AddEventSource()
	case install.AddMark:
		i.machine = i.machine.With(w)
		return i.machine.Write()
	case install.AddRunKey:
		i.record = &next
		return i.place.SetRunKey(w.Args)
	case install.RemoveRun:
		if i.record.Form == install.RunKey {
			return nil // it has just taken the task's place
		}
		return install.RemoveRunKey()
	case install.RemoveTask:
		return i.place.RemoveTask(ctx)
	case install.AddRecord:
		return i.place.Write(*i.record)
	case install.Start:
		return i.start(ctx)
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

// change tells of each change and makes it. It gives those that were made, or would be.
func (i *installation) change(ctx context.Context, t *telling, changes []install.Change, do func(install.Change) error) ([]install.Change, error) {
	for n, c := range changes {
		if !t.json {
			if _, err := fmt.Fprintln(t.out, printable.Escape(c.String())); err != nil {
				return changes[:n], err
			}
		}
		if t.dry || c.Do == install.Leave {
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

// result tells a script all, and a person the text and the hints.
func (t *telling) result(r result, text string) error {
	if t.json {
		if r.Changes == nil {
			r.Changes = []install.Change{}
		}
		return json.NewEncoder(t.out).Encode(r)
	}
	if t.dry {
		text = "Nothing was changed.\n"
	}
	for _, h := range r.Hints {
		text += console.HintLine(h)
	}
	_, err := io.WriteString(t.out, text)
	return err
}

func startCommand() *cobra.Command {
	return againCommand("start", "Start the installed program (Windows)",
		`start starts what install has registered, as a logon does, and waits until it
serves. When it runs already there is nothing to do.`, false)
}

func restartCommand() *cobra.Command {
	return againCommand("restart", "End the installed program and start it again (Windows)",
		`restart ends the installed program as Ctrl-C ends up, starts it again, and waits
until it serves.`, true)
}

func againCommand(name, short, long string, stops bool) *cobra.Command {
	t := telling{}
	cmd := &cobra.Command{
		Use: name, Short: short, Long: long, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t.out = cmd.OutOrStdout()
			i, err := findInstallation(cmd.Context())
			if err == nil {
				err = i.again(cmd.Context(), &t, stops)
			}
			if err != nil {
				return &failure{error: err}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&t.json, "json", false, "report as JSON, one object")
	return cmd
}

func (i *installation) again(ctx context.Context, t *telling, stops bool) error {
	if i.record == nil {
		return advice.ErrNotInstalled
	}
	var changes []install.Change
	if stops {
		for _, words := range i.words() {
			changes = append(changes, install.Change{Do: install.Stop, What: words})
		}
	}
	if stops || len(i.bridges) == 0 {
		changes = append(changes, install.Change{Do: install.Start, What: i.place.File(install.Windowed), Note: strings.Join(i.record.Args, " ")})
	}
	if err := mayStart(changes, i.record.Args); err != nil {
		return err
	}
	made, err := i.change(ctx, t, changes, func(c install.Change) error {
		if c.Do == install.Stop {
			return i.stop(ctx)
		}
		return i.start(ctx)
	})
	if err != nil {
		return err
	}
	return i.conclude(ctx, t, result{Changes: made})
}

// wrongFiles is what is wrong with the files, if what is started next reads them: what is installed, or up.
func wrongFiles(installed *install.Record) error {
	if installed == nil {
		installed = &install.Record{}
	}
	_, err := links.ForArgs(installed.Args)
	return err
}
