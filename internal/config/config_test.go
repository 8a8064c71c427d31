package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// Each part of testdata/errors.txt is a file, and in comments what is wrong with it.
func TestErrors(t *testing.T) {
	text, err := os.ReadFile("testdata/errors.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split("\n"+string(text), "\n-- ")[1:] {
		name, body, _ := strings.Cut(part, " --\n")
		t.Run(name, func(t *testing.T) {
			var want []string
			for line := range strings.Lines(body) {
				if w, is := strings.CutPrefix(line, "# want: "); is {
					want = append(want, strings.TrimSpace(w))
				}
			}
			got := wrongs(body)
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			crlf := wrongs("\ufeff" + strings.ReplaceAll(body, "\n", "\r\n")) // as Notepad writes it
			if strings.Join(crlf, "\n") != strings.Join(want, "\n") && !strings.Contains(name, "not closed") {
				t.Errorf("with CRLF and a byte order mark:\n%s\nwant:\n%s", strings.Join(crlf, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// wrongs are the errors of a user's file.
func wrongs(text string) (list []string) {
	f, err := parseFile("f.toml", []byte(text), false)
	if err == nil {
		_, err = mergeFiles(&file{}, f)
	}
	var all Errors
	if errors.As(err, &all) {
		for _, e := range all {
			list = append(list, e.Error())
		}
	} else if err != nil {
		list = append(list, err.Error())
	}
	return list
}

func TestBounds(t *testing.T) {
	links := strings.Builder{}
	for i := range MaxLinks + 1 {
		fmt.Fprintf(&links, "[[link]]\nname = \"l%d\"\n", i)
	}
	for _, c := range []struct{ text, want string }{
		{links.String(), "f.toml:513:3: there are more than 256 links"},
		{strings.Repeat("#", MaxFile) + "\n", "f.toml: it has more than 1024 KiB"},
		{"\xff\xfex\x00", "f.toml:1:1: it is UTF-16; save it as UTF-8"},
		{"\xfe\xff\x00x", "f.toml:1:1: it is UTF-16; save it as UTF-8"},
		{"#\n[\x00[\x00", "f.toml:2:2: it has a NUL, as UTF-16 has; save it as UTF-8"},
	} {
		if got := wrongs(c.text); len(got) != 1 || got[0] != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := wrongs(strings.Repeat("[[link]]\nx = 1\n", 100)); len(got) != maxErrors {
		t.Errorf("%d errors, want %d", len(got), maxErrors)
	}
}

// No file says what up does.
func TestNoFile(t *testing.T) {
	c, err := Load(filepath.Join(t.TempDir(), "m"), filepath.Join(t.TempDir(), "u"))
	if err != nil {
		t.Fatal(err)
	}
	want := Link{Name: "windows", From: "unix:/run/docker-wsl-bridge/windows.sock", To: To{Place: "auto"}, Kind: "docker", Paths: "auto", KeepAlive: "always"}
	if len(c.Links) != 1 || !c.Links[0].Equal(&want) || !c.Default || len(c.Files) > 0 {
		t.Errorf("%+v, want %+v", c, want)
	}
}

func TestKindFollowsFromTheOtherEnd(t *testing.T) {
	for to, want := range map[string]string{
		`"auto"`: Docker, `"docker_engine"`: Docker, `"npipe:////./pipe/dockerDesktopLinuxEngine"`: Docker,
		`"podman-machine-default"`: Docker, `"openssh-ssh-agent"`: Raw,
		`{ exec = ["ssh", "h", "docker", "system", "dial-stdio"] }`: Docker, `{ exec = ["nc", "h"] }`: Raw,
	} {
		f, err := parseFile("f", []byte("[[link]]\nname = \"a\"\nto = "+to), false)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := mergeFiles(&file{}, f); err != nil || c.Links[0].Kind != want {
			t.Errorf("%s: %v, %v; want %s", to, c.Links[0].Kind, err, want)
		}
	}
}

const machineText = `locked = ["link.build", "link.windows.keep-alive"]
[[link]]
name = "windows"
distro = "Debian"
keep-alive = "while-running"
[[link]]
name = "build"
to = { exec = ["ssh", "build"] }
`

func merged(machine, user string) (*Config, error) {
	m, err := parseFile("machine", []byte(machine), true)
	if err != nil {
		return nil, err
	}
	u, err := parseFile("user", []byte(user), false)
	if err != nil {
		return nil, err
	}
	return mergeFiles(m, u)
}

// A user changes what he does not share, and where each value comes from is told.
func TestUserChangesTheMachinesLinks(t *testing.T) {
	c, err := merged(machineText, "[[link]]\nname = \"windows\"\ndistro = \"Ubuntu\"\n[[link]]\nname = \"own\"\n")
	if err != nil {
		t.Fatal(err)
	}
	want := `[[link]]
name = "windows"                         # user:2
from = "unix:/run/docker-wsl-bridge/windows.sock" # default
to = "auto"                              # default
distro = "Ubuntu"                        # user:3
kind = "docker"                          # default
paths = "auto"                           # default
keep-alive = "while-running"             # machine:5
trust-pipe-owner = false                 # default

[[link]]
name = "build"                           # machine:7
from = "unix:/run/docker-wsl-bridge/build.sock" # default
to = { exec = ["ssh", "build"] }         # machine:8
kind = "raw"                             # default
paths = "auto"                           # default
keep-alive = "always"                    # default
trust-pipe-owner = false                 # default

[[link]]
name = "own"                             # user:5
from = "unix:/run/docker-wsl-bridge/own.sock" # default
to = "auto"                              # default
kind = "docker"                          # default
paths = "auto"                           # default
keep-alive = "always"                    # default
trust-pipe-owner = false                 # default
`
	if got := c.RenderTOML(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLocks(t *testing.T) {
	for _, c := range []struct{ machine, user, want string }{
		{machineText, "[[link]]\nname = \"build\"", "user:1:3: the link build is locked by the administrator, in machine:1:11"},
		{machineText, "[[link]]\nname = \"windows\"\nkeep-alive = \"always\"", "user:3:1: keep-alive of the link windows is locked by the administrator, in machine:1:25"},
		{"locked = [\"link\"]", "[[link]]\nname = \"own\"", "user:1:3: a link of one's own, own, is locked by the administrator, in machine:1:11"},
		{"locked = \"link\"", "", "machine:1:10: it is text; " + lockForms},
		{"locked = [\"link.a.b.c\", \"x\"]", "", "machine:1:11: \"link.a.b.c\" is nothing to lock; " + lockForms + " (and 1 more)"},
		{"locked = [\"link.bulid\"]\n[[link]]\nname=\"build\"", "", `machine:1:11: there is no link "bulid" in this file; did you mean "build"?`},
		{"locked = [\"link.build.form\"]\n[[link]]\nname=\"build\"", "", `machine:1:11: a link has no key "form"; did you mean "from"?`},
		{machineText, "[[link]]\nname = \"x\"\nfrom=\"unix:/run/docker-wsl-bridge/build.sock\"", `user:3:1: link x: from: the link build has "unix:/run/docker-wsl-bridge/build.sock" already`},
	} {
		if _, err := merged(c.machine, c.user); err == nil || err.Error() != c.want {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
}

// What is printed is a file that says the same.
func TestTOMLIsRead(t *testing.T) {
	odd := "[[link]]\nname = \"a\"\nowner = \"J\u00fcrgen \u202e \\\" \\\\ \U000e0001\"\nto = { exec = [\"a b\", \"\\u001b[31m\", \"\"] }\n" +
		"[[link]]\nname = \"all\"\ndistro = \"*\"\nuids = [1001, 7, 7]\n"
	c, err := merged(machineText, odd)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.RenderTOML() {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("it has %U", r)
		}
	}
	again, err := merged("", c.RenderTOML())
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Links {
		if !again.Links[i].Equal(&c.Links[i]) {
			t.Errorf("%+v, want %+v", again.Links[i], c.Links[i])
		}
	}
}

// A link of all distros has its place where all of them see it, and is for the first user of each.
func TestLinkOfAllDistros(t *testing.T) {
	c, err := merged("", "[[link]]\nname = \"a\"\ndistro = \"*\"\nhost = \"Ubuntu\"\n[[link]]\nname = \"b\"\ndistro = \"*\"\nuids = [1001, 0, 1001]\n")
	if err != nil {
		t.Fatal(err)
	}
	a := Link{Name: "a", Distro: All, Host: "Ubuntu", Uids: []int{1000}, From: "unix:/mnt/wsl/docker-wsl-bridge/a.sock", To: To{Place: "auto"}, Kind: "docker", Paths: "auto", KeepAlive: "always"}
	if !c.Links[0].Equal(&a) {
		t.Errorf("%+v", c.Links[0])
	}
	if b := c.Links[1]; !slices.Equal(b.Uids, []int{0, 1001}) || c.Links[0].Equal(&b) {
		t.Errorf("%+v", b)
	}
	if !strings.Contains(c.RenderTOML(), "\nuids = [0, 1001] ") {
		t.Error(c.RenderTOML())
	}
}

// The file that init writes sets nothing, and all of it can be used.
func TestStarter(t *testing.T) {
	if c, err := merged("", Starter); err != nil || !c.Default {
		t.Errorf("%+v, %v", c, err)
	}
	if !strings.HasPrefix(Starter, "#:schema ./config.schema.json\n\n#") {
		t.Errorf("editors are not told of the schema: %.50q", Starter)
	}
	used := strings.ReplaceAll("\n"+Starter, "\n#", "\n")
	used = used[strings.Index(used, "[[link]]\n"):] // the words above are none of it
	if c, err := merged("", used); err != nil || len(c.Links) != 3 {
		t.Errorf("%+v, %v", c, err)
	}
}

// Editors get what the program knows. UPDATE=1 writes it.
func TestSchema(t *testing.T) {
	const file = "../../docs/config.schema.json"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, JSONSchema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, JSONSchema()) {
		t.Error("docs/config.schema.json is not what the program knows; UPDATE=1 go test -run '^TestSchema$' ./internal/config writes it")
	}
}

// Every key has a line in the page.
func TestEveryKeyIsInTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range KeyNames() {
		if !bytes.Contains(page, []byte("| `"+k+"` |")) {
			t.Errorf("docs/configuration.md has no line for the key %s", k)
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		goos string
		env  map[string]string
		want string
	}{
		{"windows", map[string]string{"APPDATA": `C:\Users\me\AppData\Roaming`, "HOME": "/x"}, `C:\Users\me\AppData\Roaming\docker-wsl-bridge\config.toml`},
		{"windows", map[string]string{"HOME": "/x"}, ""},
		{"linux", map[string]string{"XDG_CONFIG_HOME": "/c", "HOME": "/home/me"}, "/c/docker-wsl-bridge/config.toml"},
		{"linux", map[string]string{"XDG_CONFIG_HOME": "c", "HOME": "/home/me"}, "/home/me/.config/docker-wsl-bridge/config.toml"},
		{"linux", map[string]string{"HOME": "x"}, ""},
	} {
		got, err := UserFile(c.goos, func(name string) string { return c.env[name] })
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s, %v: %q, %v; want %q", c.goos, c.env, got, err, c.want)
		}
	}
}

// FuzzParse reads any file, as the machine's and as a user's: no panic, and nothing that a
// terminal obeys.
func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("testdata/errors.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, part := range strings.Split("\n"+string(text), "\n-- ")[1:] {
		_, body, _ := strings.Cut(part, " --\n")
		f.Add([]byte(body))
	}
	f.Add([]byte(machineText))
	f.Add([]byte(Starter))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, machine := range []bool{true, false} {
			read, err := parseFile("f.toml", text, machine)
			words := ""
			if err == nil {
				c, wrong := mergeFiles(&file{}, read)
				if wrong == nil {
					words = c.RenderTOML()
				}
				err = wrong
			}
			var all Errors
			if errors.As(err, &all) {
				for _, e := range all {
					words += e.Error()
				}
			}
			for _, r := range words {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Fatalf("it says %q", words)
				}
			}
		}
	})
}
