package setup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// installedBridge is one of the installation's programs, as its endpoint tells of it.
func installedBridge(t *testing.T, link string, status func(s *control.Status)) {
	t.Helper()
	dir, err := state.Dir()
	if err != nil {
		t.Fatal(err)
	}
	place := control.Place{Distro: "Debian", Socket: "/run/" + link + ".sock"}
	open, err := control.OpenInstance(t.Context(), state.RunDir(dir), place, control.Handler{
		Status: func(context.Context) control.Status {
			s := control.Status{
				PID: os.Getpid(), Program: "/programs/docker-wsl-bridgew.exe", State: string(tunnel.Serving),
				Link: control.Link{Name: link, Kind: config.Raw, Distro: place.Distro, Socket: place.Socket},
			}
			status(&s)
			return s
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { open.Close() })
}

// ownConfig is the place of a user's file that is this test's alone, as is the state.
func ownConfig(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"XDG_STATE_HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(name, t.TempDir())
	}
	file, err := links.UserFile()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// What install says of several links is true of all of them, not of the last one.
func TestInstallTellsOfAllLinks(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var asked atomic.Int32 // by itself, and by us: it serves a moment later
	installedBridge(t, "a", func(s *control.Status) {
		if asked.Add(1) <= 3 {
			s.State = string(tunnel.Starting)
		}
	})
	installedBridge(t, "b", func(s *control.Status) {
		s.State, s.Reason = string(tunnel.Failing), "make socket: no such directory"
		s.Hints = []codes.Hint{codes.EngineWindows.Note("make it")}
	})
	installedBridge(t, "c", func(s *control.Status) { s.State = string(tunnel.Stopped) })
	installedBridge(t, "d", func(s *control.Status) { s.State, s.Reason = string(tunnel.Failing), "its user is not there" })
	installedBridge(t, "e", func(s *control.Status) {})
	i := &Installation{
		Place:  install.Place{Programs: "/programs"},
		Record: &install.Record{Form: install.Task},
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var text strings.Builder
	err := i.waitAndReport(ctx, &ChangePrinter{Printer: console.Printer{Out: &text}}, changeResult{})
	if want := "it runs and does not serve /run/b.sock in Debian yet, but goes on trying: link-failed: make socket: no such directory"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if list := advice.Hints("", err); len(list) != 1 || list[0].String() != "DWB204: make it" {
		t.Errorf("hints %v", list)
	}
	for _, want := range []string{
		"It serves /run/a.sock in Debian, and starts at logon (",
		"It serves /run/c.sock in Debian when that runs.\n",
		"it runs and does not serve /run/d.sock in Debian yet, but goes on trying: link-failed: its user is not there\n",
		"It serves /run/e.sock in Debian.\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in %q", want, text.String())
		}
	}

	text.Reset()
	if err := i.waitAndReport(ctx, &ChangePrinter{Printer: console.Printer{Out: &text, JSON: true}}, changeResult{}); err == nil {
		t.Error("no error for a script")
	}
	var told struct {
		Works   bool
		Reason  string
		Bridges []struct {
			Name, Socket, Reason string
			Works                bool
		}
	}
	if err := json.Unmarshal([]byte(text.String()), &told); err != nil {
		t.Fatal(err)
	}
	works := ""
	for _, b := range told.Bridges {
		if b.Works {
			works += b.Name
		}
	}
	if len(told.Bridges) != 5 || works != "ae" || told.Works || told.Reason != err.Error() {
		t.Errorf("a script is told %s", text.String())
	}
}

// What a wrong configuration would end at once is not started, and nothing is ended for it.
func TestAStartOfAWrongConfigurationIsRefused(t *testing.T) {
	file := ownConfig(t)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	stops, starts := install.Change{Do: install.Stop}, install.Change{Do: install.Start}
	for _, c := range []struct {
		text    string
		changes []install.Change
		args    []string
		refused bool
	}{
		{"linkk = 1\n", []install.Change{stops, starts}, []string{"run"}, true},
		{"linkk = 1\n", []install.Change{stops, starts}, nil, true},
		{"linkk = 1\n", []install.Change{stops}, []string{"run"}, false},
		{"linkk = 1\n", []install.Change{starts}, []string{"run", "--distro=Debian"}, false}, // it does not read the file
		{"", []install.Change{starts}, []string{"run"}, false},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := mayStart(c.changes, c.args)
		if (err != nil) != c.refused {
			t.Errorf("%+v: %v", c, err)
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "nothing was changed: "+file+":1:1: ") || len(advice.Hints("", err)) != 1) {
			t.Errorf("%+v: %v, hints %v", c, err, advice.Hints("", err))
		}
	}
}

// A restart with a wrong configuration ends nothing.
func TestARestartOfAWrongConfigurationEndsNothing(t *testing.T) {
	file := ownConfig(t)
	configure(t, file, "a", "a") // twice
	i := &Installation{Record: &install.Record{Args: []string{"run"}}, bridges: []control.Found{{PID: os.Getpid()}}}
	var text strings.Builder
	if err := i.StartAgain(t.Context(), &ChangePrinter{Printer: console.Printer{Out: &text}}, true); err == nil || !strings.HasPrefix(err.Error(), "nothing was changed: "+file+":") || text.Len() > 0 {
		t.Errorf("%v, and it said %q", err, &text)
	}
}

// Only bridges that serve what the installation would are in its way: with a configuration its links'
// places, and not the default one.
func TestInstallIsRefusedForWhatIsServed(t *testing.T) {
	file := ownConfig(t)
	configure(t, file, "a", "b")
	for _, c := range []struct {
		wanted         string // by a flag, if any is given
		args           []string
		distro, socket string // that are served
		config         string // that is
		refused        bool
	}{
		{"", []string{"run"}, "Debian", links.DefaultSocket, "", false},
		{"", []string{"run"}, "Debian", "/run/b.sock", "", true},
		{"", []string{"run"}, "Ubuntu", "/run/b.sock", "", false},
		{"", []string{"run"}, "Debian", "/run/of-before.sock", file, true}, // it was edited
		{"debian", []string{"run", "--distro=debian"}, "Debian", links.DefaultSocket, "", true},
		{"debian", []string{"run", "--distro=debian"}, "Ubuntu", links.DefaultSocket, "", false},
		{"debian", []string{"run", "--distro=debian"}, "Debian", "/run/b.sock", file, false},
		{"", []string{"run", "--keep-alive=always"}, "Ubuntu", links.DefaultSocket, "", true}, // it may be the default one
	} {
		i := &Installation{others: []control.Found{{
			Place: control.Place{Distro: c.distro, Socket: c.socket}, Status: control.Status{Config: c.config},
		}}}
		if err := i.servedByAnother(c.args, links.Link{Distro: c.wanted, Socket: links.DefaultSocket}); (err != nil) != c.refused {
			t.Errorf("%q beside %s in %s: %v", c.args, c.socket, c.distro, err)
		}
	}
}

// A pipe is Windows', whichever distro it leads to, and a name of it has no case; a socket is its distro's.
func TestWhatIsTheSamePlace(t *testing.T) {
	const pipe, socket = "npipe:////./pipe/engine", "/run/a.sock"
	for _, c := range []struct {
		wanted, is control.Place
		same       bool
	}{
		{control.Place{Distro: "A", Socket: pipe}, control.Place{Distro: "B", Socket: "npipe:////./pipe/ENGINE"}, true},
		{control.Place{Distro: "A", Socket: socket}, control.Place{Distro: "B", Socket: socket}, false},
		{control.Place{Distro: "A", Socket: socket}, control.Place{Distro: "a", Socket: socket}, true},
		{control.Place{Distro: "A", Socket: socket}, control.Place{Distro: "A", Socket: "/run/A.sock"}, false},
		{control.Place{Distro: "*", Socket: socket}, control.Place{Distro: "*", Socket: socket}, true},
		{control.Place{Socket: socket}, control.Place{Distro: "B", Socket: socket}, true},
	} {
		if samePlace(c.wanted, c.is) != c.same {
			t.Errorf("%+v and %+v", c.wanted, c.is)
		}
	}
}

// A link of the configuration that can't have its place is not taken for one that is not wanted.
func TestInstallMissesALink(t *testing.T) {
	file := ownConfig(t)
	configure(t, file, "a", "b")
	installedBridge(t, "a", func(s *control.Status) { s.Config = file })
	i := &Installation{Place: install.Place{Programs: "/programs"}, Record: &install.Record{Form: install.Task}}
	if err := i.findBridges(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names := i.linksWithoutBridge(); len(names) != 1 || names[0] != "b" {
		t.Errorf("it misses %q", names)
	}
	installedBridge(t, "b", func(s *control.Status) { s.Config = file })
	if err := i.findBridges(t.Context()); err != nil || len(i.linksWithoutBridge()) > 0 {
		t.Errorf("it misses %q, %v", i.linksWithoutBridge(), err)
	}
}

// While install waits for a bridge, its engine is not asked: it is when the bridge serves, once.
func TestInstallAsksTheEngineOnce(t *testing.T) {
	ownConfig(t)
	dir, err := state.Dir()
	if err != nil {
		t.Fatal(err)
	}
	place := control.Place{Distro: "Debian", Socket: "/run/a.sock"}
	var asked, waited atomic.Int32
	status := func() control.Status {
		s := control.Status{
			PID: os.Getpid(), Program: "/programs/docker-wsl-bridgew.exe", State: string(tunnel.Placing),
			Link: control.Link{Name: "a", Kind: config.Raw, Distro: place.Distro, Socket: place.Socket},
		}
		if waited.Load() > 2 {
			s.State = string(tunnel.Serving)
		}
		return s
	}
	open, err := control.OpenInstance(t.Context(), state.RunDir(dir), place, control.Handler{
		Status:  func(context.Context) control.Status { asked.Add(1); return status() },
		Settled: func(context.Context) control.Status { waited.Add(1); return status() },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { open.Close() })
	before := asked.Load()
	i := &Installation{Place: install.Place{Programs: "/programs"}, Record: &install.Record{Form: install.Task}}
	var text strings.Builder
	if err := i.waitAndReport(t.Context(), &ChangePrinter{Printer: console.Printer{Out: &text}}, changeResult{}); err != nil {
		t.Error(err)
	}
	if n := asked.Load() - before; n != 1 || !strings.Contains(text.String(), "It serves /run/a.sock in Debian") {
		t.Errorf("asked %d times: %s", n, text.String())
	}
}

// configure writes a configuration with links of these names.
func configure(t *testing.T, file string, links ...string) {
	t.Helper()
	text := ""
	for _, name := range links {
		text += fmt.Sprintf("[[link]]\nname = %q\ndistro = \"Debian\"\nfrom = \"unix:/run/%s.sock\"\nto = \"unix:/run/engine.sock\"\n", name, name)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}
