package setup

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
)

// For whom it is installed, in every kind of window, or why not and what to run instead.
func TestMayInstall(t *testing.T) {
	const me, other = "S-1-5-21-1-1001", "S-1-5-21-1-1002"
	foreign := install.Registered{ImagePath: `C:\tools\docker-wsl-bridge.exe "socat` + "\x1b" + `x"`}
	task, service := &install.Record{Form: install.Task}, &install.Record{Form: install.ByService}
	const run = "repeat it in a window that was opened with \"Run as administrator\""
	for _, c := range []struct {
		name     string
		elevated bool
		desktop  string
		who      Scope
		service  install.Registered
		record   *install.Record

		form    install.Form // what is installed
		user    string       // and for whom, of a service
		refused string
		code    codes.Code
		hint    string
	}{
		{name: "an ordinary window", desktop: me, form: install.Task},
		{name: "an ordinary window whose desktop can't be told", form: install.Task},
		{name: "an ordinary window, by the Run key", desktop: me, who: Scope{AtLogon: "run-key"}, form: install.RunKey},
		{name: "an administrator's window", elevated: true, desktop: me, form: install.ByService, user: me},
		{name: "one whose desktop can't be told", elevated: true, form: install.ByService, user: me},
		{name: "one, --user", elevated: true, desktop: me, who: Scope{User: true}, form: install.Task},
		{name: "one, for everybody", elevated: true, desktop: me, who: Scope{Everyone: true}, form: install.ByService, user: me},
		{name: "another account's, for everybody", elevated: true, desktop: other, who: Scope{Everyone: true}, form: install.ByService},
		{name: "a foreign service, --replace", elevated: true, desktop: me, who: Scope{Replace: true}, service: foreign, form: install.ByService, user: me},
		{name: "a foreign service is in no task's way", desktop: me, service: foreign, form: install.Task},
		{name: "again", elevated: true, desktop: me, record: service, form: install.ByService, user: me},

		{name: "a service in an ordinary window", desktop: me, who: Scope{AtLogon: "service"},
			refused: "this takes an administrator", code: codes.MayInstall, hint: run},
		{name: "for everybody in an ordinary window", desktop: me, who: Scope{Everyone: true},
			refused: "this takes an administrator", code: codes.MayInstall, hint: run},
		{name: "another account's window", elevated: true, desktop: other,
			refused: "this window belongs to another account than the desktop", code: codes.MayInstall, hint: "docker-wsl-bridge install --all-users"},
		{name: "another account's window, --user", elevated: true, desktop: other, who: Scope{User: true},
			refused: "this window belongs to another account than the desktop", code: codes.MayInstall, hint: "docker-wsl-bridge install"},
		{name: "another account's window that is not elevated", desktop: other,
			refused: "this window belongs to another account than the desktop", code: codes.MayInstall, hint: "docker-wsl-bridge install"},
		{name: "a foreign service", elevated: true, desktop: me, service: foreign,
			refused: `a service docker.wsl.bridge is there that is another program's: C:\tools\docker-wsl-bridge.exe "socat` + "\ufffd" + `x"`, code: codes.MayInstall, hint: "docker-wsl-bridge install --replace"},
		{name: "a service after a task", elevated: true, desktop: me, record: task,
			refused: "it is installed in another way, by a scheduled task", code: codes.Installed, hint: "docker-wsl-bridge uninstall"},
		{name: "a task after a service", desktop: me, record: service,
			refused: "it is installed in another way, by a service", code: codes.Installed, hint: "docker-wsl-bridge uninstall"},
	} {
		c.who.AtLogon = cmp.Or(c.who.AtLogon, "auto")
		own := install.PlaceAt(`C:\Users\me\AppData\Local`, `C:\Users\me\AppData\Local\docker-wsl-bridge`, me)
		i := &Installation{own: own, Place: own, shared: own.ForAllUsers(`C:\Program Files`), elevated: c.elevated, desktop: c.desktop, service: c.service, Record: c.record}
		w, err := c.who.ResolveWant(i)
		if err == nil {
			err = i.mayInstall(w, &c.who)
		}
		if c.refused == "" {
			inPlace := i.Place == i.own
			if err != nil || w.Form != c.form || w.User != c.user || w.AllUsers != c.who.Everyone || inPlace != (c.form != install.ByService) {
				t.Errorf("%s: %+v in %s, %v; want %s for %q", c.name, w, i.Place.Programs, err, c.form, c.user)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.refused) {
			t.Errorf("%s: %v, want %s", c.name, err, c.refused)
		}
		list := advice.Hints("", err)
		if !slices.ContainsFunc(list, func(h codes.Hint) bool { return h.Code == c.code && strings.HasPrefix(h.Command+h.Text, c.hint) }) {
			t.Errorf("%s: the hints are %q, want %s: %s", c.name, list, c.code, c.hint)
		}
	}
}

// Flags that contradict each other are a wrong command line, whatever there is.
func TestContradictingAudience(t *testing.T) {
	for text, who := range map[string]Scope{
		"a service is for the machine; leave --user out":         {User: true, AtLogon: "service"},
		"only a service is for every user; leave --at-logon out": {Everyone: true, AtLogon: "task"},
		`there is no way "soon"`:                                 {AtLogon: "soon"},
	} {
		if _, err := who.ResolveWant(&Installation{elevated: true}); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%+v: %v, want %s", who, err, text)
		}
	}
}
