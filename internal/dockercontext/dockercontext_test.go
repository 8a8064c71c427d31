package dockercontext

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

const host, other = "unix:///run/docker-wsl-bridge/windows.sock", "unix:///run/docker-wsl-bridge/other.sock"

var recorded = []string{"windows"}

func nobody(string) bool   { return false }
func somebody(string) bool { return true }

// wants makes a context and wants a state to come of it.
func wants(t *testing.T, dir, name, host string, served func(string) bool, want State) {
	t.Helper()
	if got, err := MakeContext(dir, name, host, recorded, served); got != want || err != nil {
		t.Errorf("make %s for %s: %q, %v; want %q", name, host, got, err, want)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMakeAndRemove(t *testing.T) {
	home := t.TempDir()
	dir := filepath.Join(home, ".docker")
	wants(t, dir, "windows", host, somebody, Made)
	wants(t, dir, "windows", host, somebody, Kept)
	wants(t, dir, "windows", other, somebody, Taken)
	if list, err := ListContexts(dir, nil); err != nil || !slices.Equal(list, []Context{{"windows", host, true}}) {
		t.Errorf("%+v, %v", list, err)
	}
	wants(t, dir, "windows", other, nobody, Made)
	if list, _ := ListContexts(dir, nil); len(list) != 1 || list[0].Host != other {
		t.Errorf("%+v", list)
	}
	// The place is the one of docker's: its SHA-256.
	file := filepath.Join(dir, "contexts", "meta", "340d600392818df2413382dc7d8325c360d83ea49a262d31760348484bbc10b5", "meta.json")
	if !strings.HasPrefix(text(t, file), `{"Name":"windows","Metadata":{`) {
		t.Error(text(t, file))
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Errorf("beside it: %q", left)
	}
	for _, want := range []State{Removed, None} {
		if got, err := RemoveContext(dir, "windows", recorded); got != want || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	if left, _ := os.ReadDir(home); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// What somebody else has made, or changed, is left alone, whatever it is.
func TestForeignContexts(t *testing.T) {
	for name, change := range map[string]string{
		"another's":        `{"Name":"windows","Metadata":{},"Endpoints":{"docker":{"Host":"` + host + `","SkipTLSVerify":false}}}`,
		"ours, changed":    `{"Name":"windows","Metadata":{"docker-wsl-bridge":"` + host + `"},"Endpoints":{"docker":{"Host":"tcp://x:1"}}}`,
		"no text":          "\x00\x01",
		"of another shape": `{"Name":"windows","Metadata":[],"Endpoints":5}`,
		"nothing":          "",
		"too long":         `{"Name":"` + strings.Repeat("x", maxFile) + `"}`,
	} {
		dir := filepath.Join(t.TempDir(), ".docker")
		file := metaFile(dir, "windows")
		write(t, file, change)
		wants(t, dir, "windows", host, nobody, Foreign)
		if got, err := RemoveContext(dir, "windows", recorded); got != Foreign || err != nil {
			t.Errorf("%s: remove: %q, %v", name, got, err)
		}
		if text(t, file) != change {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestRemoveOfTheChosenOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".docker")
	config := filepath.Join(dir, "config.json")
	wants(t, dir, "windows", host, nobody, Made)
	write(t, config, `{"auths":{"x":{"auth":"c2VjcmV0"}},"currentContext":"windows","n":1e400}`)
	if got, err := RemoveContext(dir, "windows", recorded); got != Removed || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	var rest map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text(t, config)), &rest); err != nil || len(rest) != 2 || string(rest["n"]) != "1e400" || !strings.Contains(string(rest["auths"]), "c2VjcmV0") {
		t.Errorf("%s, %v", text(t, config), err)
	}
	// Another one that is chosen stays so, to the byte.
	wants(t, dir, "windows", host, nobody, Made)
	const chosen = `{ "currentContext" : "other" }`
	write(t, config, chosen)
	if got, err := RemoveContext(dir, "windows", recorded); got != Removed || err != nil || text(t, config) != chosen {
		t.Errorf("%q, %v, %s", got, err, text(t, config))
	}
}

func TestNoHome(t *testing.T) {
	home := filepath.Join(t.TempDir(), "gone")
	if _, err := MakeContext(filepath.Join(home, ".docker"), "windows", host, nil, nobody); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(home); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a home was made: %v", err)
	}
	if list, err := ListContexts(home, nil); err != nil || len(list) > 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"windows": true, "a.b_c+d-1": true, "": false, "x": false, "default": false, "-rf": false, "a/b": false, "a b": false,
		"../x": false, "ä1": false, strings.Repeat("x", 101): false,
	} {
		if err := CheckName(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestDirAndCurrent(t *testing.T) {
	home := t.TempDir()
	in := func(env map[string]string) string {
		return ConfigDir(func(name string) string { return env[name] }, "/home/passwd")
	}
	for want, env := range map[string]map[string]string{
		filepath.Join(home, ".docker"):           {"HOME": home},
		"/elsewhere":                             {"HOME": home, "DOCKER_CONFIG": "/elsewhere"},
		filepath.Join("/home/passwd", ".docker"): {},
	} {
		if got := in(env); got != want {
			t.Errorf("%v: %q, want %q", env, got, want)
		}
	}
	if got := CurrentContext(home); got != "" {
		t.Errorf("without a file: %q", got)
	}
	write(t, filepath.Join(home, "config.json"), `{"auths":{},"currentContext":"other"}`)
	if got := CurrentContext(home); got != "other" {
		t.Errorf("of the file: %q", got)
	}
	write(t, filepath.Join(home, "config.json"), "{")
	if got := CurrentContext(home); got != "" {
		t.Errorf("of half a file: %q", got)
	}
}

func TestAstray(t *testing.T) {
	for _, c := range []struct {
		led  Override
		want string
	}{
		{Override{}, ""}, {Override{Current: "other"}, ""}, {Override{DockerHost: host, DockerContext: "x"}, ""}, {Override{DockerContext: "windows"}, ""},
		{Override{DockerHost: "tcp://x:1", DockerContext: "windows"}, "DOCKER_HOST is tcp://x:1"},
		{Override{DockerContext: "x", Current: "windows"}, "DOCKER_CONTEXT is x"},
	} {
		if got := c.led.WhyAstray("windows", host); got != c.want {
			t.Errorf("%+v: %q, want %q", c.led, got, c.want)
		}
	}
}

// What a distro says is taken for what it should be or for nothing; nothing of it has power over a terminal.
func TestWordsOfTheDistro(t *testing.T) {
	const evil = `a\u001b[2Jb`
	a, err := ReadAnswer([]byte(`{"user":"` + evil + `","host":"` + evil + `","led":{"dockerHost":"` + evil + `"},"list":[{"name":"` + evil + `","host":"x","ours":true}],"removed":["` + evil + `"],"problem":"denied","text":"` + evil + strings.Repeat("x", 2*printable.Max) + `"}`))
	var problem *ProblemError
	if !errors.As(err, &problem) || problem.Problem != Denied {
		t.Fatalf("%v", err)
	}
	for _, word := range []string{a.User, a.Host, a.Led.DockerHost, a.List[0].Name, a.Removed[0], err.Error()} {
		if len(word) > printable.Max+100 || strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q", word)
		}
	}
	for _, said := range []string{"", "hello", `{"user":1}`, `{"more":"x"}`, "\x1b[2J", `[]`} {
		if _, err := ReadAnswer([]byte(said)); !errors.Is(err, errOtherWords) {
			t.Errorf("%q: %v", said, err)
		}
	}
}

// docker takes the first value of its configuration, and does without one that it can't read.
func TestCurrentAsDockerReadsIt(t *testing.T) {
	for text, want := range map[string]string{
		"{\r\n\t\"currentContext\": \"a\"\r\n}\r\n":        "a",
		`{"currentContext":"a"} behind`:                    "a",
		`{"currentContext":"a"}{"currentContext":"b"}`:     "a",
		`{"currentContext":"a","currentContext":"b"}`:      "b",
		`{"CURRENTCONTEXT":"a"}`:                           "a",
		`{"psFormat":5,"currentContext":"a","auths":null}`: "a",
		"\ufeff{\"currentContext\":\"a\"}":                 "",
		"\xff\xfe{\x00}\x00":                               "",
		`{"currentContext":"a"`:                            "",
		"":                                                 "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := CurrentContext(dir); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
