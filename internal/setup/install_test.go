package setup

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
)

// on is an installation by this administrator, of whom nothing is recorded.
func on() *Installation {
	own := install.PlaceAt(`C:\Users\b\AppData\Local`, `C:\Users\b\AppData\Local\docker-wsl-bridge`, "S-1-5-21-2")
	return &Installation{Place: own, own: own, shared: own.ForAllUsers(`C:\Program Files`), elevated: true}
}

// What an administrator has installed for the machine another one removes, the service with the rest.
func TestUninstallByAnotherAdministrator(t *testing.T) {
	i := on()
	i.service.ImagePath = install.ServiceTemplate(i.shared, []string{"run"}).ImagePath
	i.machine = &install.Machine{Users: []string{"S-1-5-21-1"}}
	changes := install.PlanUninstall(i.Place, i.seenState(t.Context()))
	for _, do := range []install.Do{install.RemoveServ, install.RemoveMark} {
		if !slices.ContainsFunc(changes, func(c install.Change) bool { return c.Do == do }) {
			t.Errorf("without %s: %v", do, changes)
		}
	}
}

// A command line that the Run key would not start is refused before anything is changed, and it is told
// what to do instead.
func TestInstallRefusesALongRunKey(t *testing.T) {
	i := on()
	w := install.Want{Form: install.RunKey, Args: []string{"run", "--distro=D"}}
	if err := i.mayInstall(w, &Scope{}); err != nil {
		t.Error(err)
	}
	w.Args = append(w.Args, "--socket=/run/"+strings.Repeat("x", 200))
	err := i.mayInstall(w, &Scope{})
	if !errors.Is(err, install.ErrLongRun) || !strings.Contains(err.Error(), "of 260") {
		t.Errorf("%v", err)
	}
	if list := advice.Hints("", err); len(list) == 0 || list[0].Code != "DWB605" {
		t.Errorf("%v", list)
	}
}
