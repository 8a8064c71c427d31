package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

var ()

// audience says for whom it is to be installed.
type audience struct {
	atLogon        string
	user, everyone bool
	replace        bool
}

// audienceFlags are those that say for whom.
func audienceFlags(cmd *cobra.Command, a *audience) {
	f := cmd.Flags()
	f.StringVar(&a.atLogon, "at-logon", "auto", "what starts it: service, task, run-key, or auto, which is the service\nin an administrator's window, else the task and, where that is\nrefused, the Run key (`way`)")
	f.BoolVar(&a.user, "user", false, "for this user alone, in an administrator's window, too")
	f.BoolVar(&a.everyone, "all-users", false, "for every user of this machine, as a service")
	f.BoolVar(&a.replace, "replace", false, "take over a service of the same name that is another program's")
	cmd.MarkFlagsMutuallyExclusive("user", "all-users")
}

// either says that the Run key will do.
func (a *audience) either() bool { return a.atLogon == "auto" }

// want is what is asked for. It chooses where the programs go.
func (a *audience) want(i *installation) (w install.Want, err error) {
	if w.Form, err = install.ParseForm(a.atLogon, i.elevated && !a.user); err != nil {
		return w, fmt.Errorf("--at-logon: %w", err)
	}
	switch {
	case a.user && w.Form == install.ByService:
		return w, errors.New("--at-logon: a service is for the machine; leave --user out")
	case a.everyone && a.atLogon != "auto" && w.Form != install.ByService:
		return w, errors.New("--all-users: only a service is for every user; leave --at-logon out")
	case a.everyone:
		w.Form, w.AllUsers = install.ByService, true
	}
	i.place = i.own
	if w.Form == install.ByService {
		i.place = i.shared
	}
	if w.Form == install.ByService && i.isDesktops() {
		w.User = i.place.SID
	}
	return w, nil
}

// isDesktops tells whether this process is one of the user whose desktop it is on.
func (i *installation) isDesktops() bool { return i.desktop == "" || i.desktop == i.place.SID }

// mayInstall refuses what would be for the wrong user or at odds with what is there.
func (i *installation) mayInstall(w install.Want, who *audience) error {
	switch byService := w.Form == install.ByService; {
	case byService && !i.elevated:
		return advice.ErrNeedsAdmin
	case !i.isDesktops() && !w.AllUsers:
		return advice.ErrNotYours
	case i.record != nil && (i.record.Form == install.ByService) != byService:
		return fmt.Errorf("%w, %s", advice.ErrOtherForm, formWords(i.record))
	case byService && i.service.Foreign(i.place) && !who.replace:
		why := fmt.Errorf("a service %s is there that is another program's: %s", install.ServiceName, printable.Line(i.service.ImagePath))
		return advice.With(why, advice.ReplaceHints())
	case w.Form == install.RunKey:
		return i.place.RunKeyTakes(w.Args)
	}
	return nil
}

// takeAway removes a service for ours, the template so that it can be put back.
func (i *installation) takeAway(name string) (err error) {
	if name != install.ServiceName {
		return install.RemoveService(name)
	}
	if i.earlier, err = install.ReadEarlier(name); err != nil || i.earlier == nil {
		return err
	}
	return i.earlier.Remove()
}

// putBack makes the service again that ours could not replace, and tells so with why it could not.
func (i *installation) putBack(why error) error {
	if i.earlier == nil {
		return why
	}
	if err := i.earlier.PutBack(); err != nil {
		return fmt.Errorf("%w; %w; its command line is %s", why, err, printable.Line(i.service.ImagePath))
	}
	was := "is as it was"
	if i.earlier.Ran() {
		was += ", and runs"
	}
	return fmt.Errorf("%w; the service that was there %s", why, was)
}
