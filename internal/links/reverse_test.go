package links

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
)

// onWindows reads a configuration as it is read there.
func onWindows(t *testing.T, text string) ([]Link, []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := CheckFile(file, "windows")
	if err == nil {
		return c.Links, nil
	}
	lines := strings.Split(err.Error(), "\n")
	for i, l := range lines {
		_, lines[i], _ = strings.Cut(l, "c.toml:")
	}
	return nil, lines
}

func TestReverseLinksAreUnderstood(t *testing.T) {
	got, wrong := onWindows(t, `[[link]]
name = "linux"
from = "npipe:////./pipe/docker_linux"
to = "unix:/var/run/docker.sock"
distro = "Ubuntu"

[[link]]
name = "agent"
from = '\\.\pipe\agent'
to = "unix:///run/agent.sock"
allow = "docker-users, S-1-5-11"

[[link]]
name = "windows"
`)
	if wrong != nil {
		t.Fatal(wrong)
	}
	if o := got[0]; o.Socket != "npipe:////./pipe/docker_linux" || o.Target != "/var/run/docker.sock" || o.Kind != config.Docker || o.Distro != "Ubuntu" || o.Allowed != nil {
		t.Errorf("%+v", o)
	}
	if o := got[1]; o.Socket != "npipe:////./pipe/agent" || o.LeadsTo() != "unix:/run/agent.sock" || o.Kind != config.Raw || !slices.Equal(o.Allowed, []string{"docker-users", "S-1-5-11"}) {
		t.Errorf("%+v", o)
	}
	if got[2].IsReverse() {
		t.Error("a link to Windows is none to a distro")
	}
}

func TestWrongReverseLinks(t *testing.T) {
	link := func(name string, keys ...string) string {
		return "[[link]]\nname = \"" + name + "\"\n" + strings.Join(keys, "\n") + "\n"
	}
	const from, to = `from = "npipe:////./pipe/x"`, `to = "unix:/x"`
	for _, tc := range []struct{ text, want string }{
		{link("a", from), "1:3: link a: to: " + reverseForm},
		{link("a", from, `to = "docker_engine"`), `4:1: link a: to: parse endpoint "docker_engine": it is no unix socket, which is what there is here; write unix:/run/NAME.sock (` + reverseForm + ")"},
		{link("a", from, `to = { exec = ["x"] }`), "4:1: link a: to: " + reverseForm},
		{link("a", `from = "npipe:////server/pipe/x"`, to), `3:1: link a: from: parse endpoint "npipe:////server/pipe/x": it is no pipe of this machine; write npipe:////./pipe/NAME`},
		{link("a", from, to, `distro = "*"`), "5:1: link a: distro: a pipe leads to one distro; name it"},
		{link("a", from, to, `mode = "0600"`), "5:1: link a: mode: allow says who may connect to a pipe; leave the line out"},
		{link("a", from, to, `paths = "auto"`), "5:1: link a: paths: they are translated for engines of Windows alone; leave the line out"},
		{link("a", from, to, `allow = "a,,b"`), "5:1: link a: allow: a name between the commas is empty"},
		{link("a", to, `allow = "a"`), "4:1: link a: allow: that is for a pipe on Windows; mode and owner say who may use a socket"},
		{link("a", from, to) + link("b", `from = '\\.\pipe\X'`, to, `distro = "Other"`), "7:1: link b: from: the link a has that pipe already"},
		{link("a", from, to) + link("b", from, to, `distro = "Other"`), `7:1: link b: from: the link a has "npipe:////./pipe/x" already`},
	} {
		if _, got := onWindows(t, tc.text); len(got) != 1 || got[0] != tc.want {
			t.Errorf("%sis wrong as\n%q, want\n%q", tc.text, got, tc.want)
		}
	}
}
