package setup

import (
	"errors"
	"fmt"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// Scope says for whom it is to be installed.
type Scope struct {
	AtLogon        string
	User, Everyone bool
	Replace        bool
}

// acceptsRunKey says that the Run key will do.
func (a *Scope) acceptsRunKey() bool { return a.AtLogon == "auto" }

// ResolveWant is what is asked for. It chooses where the programs go.
func (a *Scope) ResolveWant(i *Installation) (w install.Want, err error) {
	if w.Form, err = install.ParseForm(a.AtLogon, i.elevated && !a.User); err != nil {
		return w, fmt.Errorf("--at-logon: %w", err)
	}
	switch {
	case a.User && w.Form == install.ByService:
		return w, errors.New("--at-logon: a service is for the machine; leave --user out")
	case a.Everyone && a.AtLogon != "auto" && w.Form != install.ByService:
		return w, errors.New("--all-users: only a service is for every user; leave --at-logon out")
	case a.Everyone:
		w.Form, w.AllUsers = install.ByService, true
	}
	i.Place = i.own
	if w.Form == install.ByService {
		i.Place = i.shared
	}
	if w.Form == install.ByService && i.isDesktops() {
		w.User = i.Place.SID
	}
	return w, nil
}

// isDesktops tells whether this process is one of the user whose desktop it is on.
func (i *Installation) isDesktops() bool { return i.desktop == "" || i.desktop == i.Place.SID }

// mayInstall refuses what would be for the wrong user or at odds with what is there.
func (i *Installation) mayInstall(w install.Want, who *Scope) error {
	switch byService := w.Form == install.ByService; {
	case byService && !i.elevated:
		return advice.ErrNeedsAdmin
	case !i.isDesktops() && !w.AllUsers:
		return advice.ErrNotYours
	case i.Record != nil && (i.Record.Form == install.ByService) != byService:
		return fmt.Errorf("%w, %s", advice.ErrOtherForm, formWords(i.Record))
	case byService && i.service.IsForeign(i.Place) && !who.Replace:
		why := fmt.Errorf("a service %s is there that is another program's: %s", install.ServiceName, printable.Line(i.service.ImagePath))
		return advice.With(why, advice.ReplaceHints())
	case w.Form == install.RunKey:
		return i.Place.RunKeyTakes(w.Args)
	}
	return nil
}

// takeAway removes a service for ours, the template so that it can be put back.
func (i *Installation) takeAway(name string) (err error) {
	if name != install.ServiceName {
		return install.RemoveService(name)
	}
	if i.earlier, err = install.ReadEarlier(name); err != nil || i.earlier == nil {
		return err
	}
	return i.earlier.RemoveService()
}

// putBack makes the service again that ours could not replace, and tells so with why it could not.
func (i *Installation) putBack(why error) error {
	if i.earlier == nil {
		return why
	}
	if err := i.earlier.PutBack(); err != nil {
		return fmt.Errorf("%w; %w; its command line is %s", why, err, printable.Line(i.service.ImagePath))
	}
	was := "is as it was"
	if i.earlier.WasRunning() {
		was += ", and runs"
	}
	return fmt.Errorf("%w; the service that was there %s", why, was)
}
