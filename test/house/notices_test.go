package house

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	notices = "../../THIRD_PARTY_NOTICES.txt"

	noticesHead = `Third-party notices

docker-wsl-bridge is under the MIT licence, see the file LICENSE. Its programs
contain the code of others named here, each under the terms that follow its name.
`
)

// What the licences of others ask for is their text beside every copy.
// UPDATE=1 writes the file.
func TestThirdPartyNotices(t *testing.T) {
	want := noticesHead + notice(t, "The Go standard library and runtime", goroot(t))
	modules := linkedModules(t)
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		want += notice(t, name, modules[name])
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(notices, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(notices)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the programs contain: %q; UPDATE=1 go test -run '^TestThirdPartyNotices$' ./test/house writes it",
			filepath.Base(notices), slices.Sorted(maps.Keys(modules)))
	}
}

// linkedModules gives the directories of the modules, by name and version, that
// the programs contain on any target.
func linkedModules(t *testing.T) map[string]string {
	t.Helper()
	modules := map[string]string{}
	for _, goos := range []string{"linux", "windows"} {
		for _, goarch := range []string{"amd64", "arm64"} {
			cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}", "./cmd/...")
			cmd.Dir = "../.."
			cmd.Env = append(cmd.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
			for line := range strings.Lines(output(t, cmd)) {
				if name, dir, found := strings.Cut(strings.TrimSpace(line), "\t"); found {
					modules[name] = dir
				}
			}
		}
	}
	return modules
}

func goroot(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(output(t, exec.Command("go", "env", "GOROOT")))
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run %q: %v", cmd.Args, err)
	}
	return string(out)
}

var legal = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice|patents)(\.(txt|md))?$`)

// notice is the text of all files about rights in a module's directory.
func notice(t *testing.T, name, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, e := range entries {
		if !legal.MatchString(e.Name()) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		text += "\n" + strings.TrimSpace(strings.ReplaceAll(string(b), "\r\n", "\n")) + "\n"
	}
	if text == "" {
		t.Errorf("%s has no licence in %s", name, dir)
	}
	return fmt.Sprintf("\n%s\n%s\n%s\n%s", strings.Repeat("=", 78), name, strings.Repeat("=", 78), text)
}
