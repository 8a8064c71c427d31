package setup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

// fakeWSL is a wsl.exe with the distros Debian and Plain. Of files beside it, running says which of them run, and
// asked has what it was told to run; where there is one called broken it runs nothing.
const fakeWSL = `#!/bin/sh
cd "${0%/*}"
case "$*" in
"--list --quiet") printf 'Debian\r\nPlain\r\n' ;;
"--list"*) cat running ;;
*) echo "$*" >>asked; [ ! -e broken ] || exit 3
   case "$*" in *" -u gone "*) echo '<3>WSL (7) ERROR: getpwnam(gone) failed 0' >&2; exit 1 ;; esac
   echo '{"user":"alice","led":{}}' ;;
esac
`

// onFakeWSL is an installation that has nothing but a state directory.
func onFakeWSL(t *testing.T) (i *Installation, file func(name, text string)) {
	t.Helper()
	dir := t.TempDir()
	file = func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file("wsl.exe", fakeWSL)
	file("running", "")
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	own, err := state.Dir()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(state.LogDir(own), 0o700); err != nil {
		t.Fatal(err)
	}
	return &Installation{state: own}, file
}

// finds wants uninstall to find distros to clean and to leave, and files of the record to purge.
func (i *Installation) finds(t *testing.T, start bool, cleaned, stopped string, files ...string) {
	t.Helper()
	var s install.Seen
	i.addSeenDistros(t.Context(), &s, start)
	if got := strings.Join(s.Cleaned, " "); got != cleaned {
		t.Errorf("to be cleaned: %q, want %q", got, cleaned)
	}
	if got := strings.Join(s.Stopped, " "); got != stopped {
		t.Errorf("stopped: %q, want %q", got, stopped)
	}
	if !slices.Equal(s.Purged, files) {
		t.Errorf("to be purged: %q, want %q", s.Purged, files)
	}
}

// What was made in a distro is known whatever becomes of logs, until all of it was cleaned: sockets where they were
// made, contexts of users who are the default one no more.
func TestADistroIsKnownUntilItIsCleaned(t *testing.T) {
	i, file := onFakeWSL(t)
	file("state/docker-wsl-bridge/logs/Debian-0123456789abcdef.log", "")
	unregistered := state.Made{Distro: "Gone"}
	for _, m := range []state.Made{
		{Distro: "Debian", Socket: "/run/a b.sock"}, {Distro: "Debian", Context: "windows", User: "alice"},
		{Distro: "Debian", Context: "windows", User: "bob"}, {Distro: "Debian", Context: "windows", User: "gone"},
		{Distro: "Debian", Context: "windows", User: "no name"},
		{Distro: "Plain", Socket: "shared:/docker-wsl-bridge/s.sock"}, {Distro: "Plain", Socket: "/run/p.sock"}, unregistered,
	} {
		if err := state.RecordMade(m); err != nil {
			t.Fatal(err)
		}
	}
	gone := unregistered.RecordFile(i.state)
	i.finds(t, false, "", "Debian Plain", gone)
	i.finds(t, true, "Debian Plain", "", gone)
	file("running", "Debian\r\n")
	i.finds(t, false, "Debian", "Plain", gone)

	w, err := distro.FindWSL()
	if err != nil {
		t.Fatal(err)
	}
	agent := deploy.Binary{Hash: "0123456789abcdef"}
	file("broken", "")
	if err := distro.CleanDistro(t.Context(), w, agent, "Debian", i.state); err == nil {
		t.Error("nothing could be run there, and that is no error")
	}
	i.finds(t, false, "Debian", "Plain", gone)
	dir := filepath.Dir(w.Path())
	for _, name := range []string{"broken", "asked"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := distro.CleanDistro(t.Context(), w, agent, "Debian", i.state); err != nil {
		t.Fatal(err)
	}
	i.finds(t, false, "", "Plain", gone)
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(asked), "\n")
	for n, want := range []string{"-d Debian --cd / -e ", "-d Debian -u bob --cd / -e ", "-d Debian -u gone --cd / -e "} {
		if want += deploy.AgentPath(agent.Hash) + " context rm --recorded=windows"; !slices.Contains(lines[:3], want) {
			t.Errorf("line %d: %q is not in %q", n, want, lines)
		}
	}
	sweep, sockets, _ := strings.Cut(lines[3], " sweep ")
	if sweep != "-d Debian -u root --cd / -e "+deploy.AgentPath(agent.Hash) || !strings.Contains(sockets, "/run/a b.sock") || !strings.Contains(sockets, "shared:/docker-wsl-bridge/s.sock") || strings.Contains(sockets, "/run/p.sock") {
		t.Errorf("sockets are removed by %q", lines[3])
	}
}

// Without a record, or with a part of it, logs tell; what they told stays known without them.
func TestLogsTellWhatTheRecordDoesNot(t *testing.T) {
	i, file := onFakeWSL(t)
	i.finds(t, true, "", "")
	const log = "state/docker-wsl-bridge/logs/Debian-0123456789abcdef.log"
	file(log, "")
	i.finds(t, false, "", "Debian")
	if err := i.rememberFound(install.Seen{Stopped: []string{"Debian"}}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(i.state, "logs")); err != nil {
		t.Fatal(err)
	}
	i.finds(t, false, "", "Debian")

	if err := state.ForgetDistro(i.state, "Debian"); err != nil {
		t.Fatal(err)
	}
	i.finds(t, false, "", "")
	if err := os.Mkdir(filepath.Join(i.state, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	file(log, "")
	i.finds(t, false, "", "") // it was cleaned
	file("state/docker-wsl-bridge/made/0123456789abcdef.json", "{")
	i.finds(t, false, "", "Debian", filepath.Join(state.MadeDir(i.state), "0123456789abcdef.json"))
}
