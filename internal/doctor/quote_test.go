package doctor

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

const oddSocket = "/run/a b'c$(touch PWNED).sock"

// runs runs a line that is printed for a shell of the distro, with programs that say their arguments, and gives these.
func runs(t *testing.T, line string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"docker", "wsl"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nprintf '<%s>' \"$@\"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/bin/sh", "-c", line+"\nprintf '<%s>' \"$DOCKER_HOST\"")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "DOCKER_HOST=")
	out, err := cmd.CombinedOutput()
	if _, bad := os.Stat(filepath.Join(dir, "PWNED")); bad == nil || err != nil {
		t.Errorf("%s: %v, %s", line, err, out)
	}
	return string(out)
}

// What up, install and the hints print to be pasted into a shell of the distro has paths in it that are what they
// were, whatever is in them.
func TestPrintedCommandsAreQuoted(t *testing.T) {
	const host = "unix://" + oddSocket
	for _, context := range []string{"", "windows"} {
		lines := 0
		for line := range strings.SplitSeq(advice.HowDocker("My Distro", host, context), "\n") {
			line = strings.TrimSpace(line)
			switch {
			case strings.HasPrefix(line, "export "), strings.HasPrefix(line, "docker -H"):
				lines++
				if got := runs(t, line); !strings.Contains(got, "<"+host+">") {
					t.Errorf("%s: %s", line, got)
				}
			}
		}
		if want := map[string]int{"": 2, "windows": 1}[context]; lines != want {
			t.Errorf("%d lines", lines)
		}
	}
	place := control.Place{Distro: "My Distro", Socket: oddSocket}
	l := control.Link{Kind: config.Docker, Distro: place.Distro, Socket: place.Socket}
	use := advice.RunsHints(control.Status{Link: l}, true)[0].Command
	if got := runs(t, use); !strings.Contains(got, "<-H><"+host+">") {
		t.Errorf("%s: %s", use, got)
	}
	led := hintsFor(Finding{Code: codes.ClientLed}, Seen{Place: place, Distro: place.Distro})[1].Command
	if got := runs(t, led); !strings.Contains(got, "<"+host+">") {
		t.Errorf("%s: %s", led, got)
	}
	in := discoverHints(discovered{Distro: "My Distro", Place: "unix:" + oddSocket, err: errNoAgent})[0].Command
	if got := runs(t, in); !strings.Contains(got, host) {
		t.Errorf("%s: %s", in, got)
	}
}

// What is to be pasted into a window of Windows is one word for PowerShell and cmd where there is such a one.
func TestPrintedCommandsForWindowsAreQuoted(t *testing.T) {
	const name = "My Distro"
	place := control.Place{Distro: name, Socket: oddSocket}
	quoted := " --distro \"My Distro\" --socket '/run/a b''c$(touch PWNED).sock'"
	contextErr := &distro.ContextError{Distro: name, Answer: dockercontext.Answer{Name: "windows", State: dockercontext.Taken}}
	for want, list := range map[string][]codes.Hint{
		"docker-wsl-bridge stop" + quoted:                                        advice.ServedHints(place),
		"docker-wsl-bridge context create" + quoted:                              hintsFor(Finding{Code: codes.ClientLed}, Seen{Place: place, Distro: name}),
		`context rm --distro "My Distro" windows`:                                advice.ContextHints(name, contextErr),
		`wsl --set-version "My Distro" 2`:                                        advice.Hints(name, wsl.ErrVersion1),
		`wsl --distro "My Distro" --user root hwclock -s`:                        hintsFor(Finding{Code: codes.Clock}, Seen{Place: place, Distro: name}),
		`context create --distro "My Distro"`:                                    advice.ContextHints(name, errors.New("x")),
		`docker-wsl-bridge up --pipe "my engine"`:                                discoverHints(discovered{Place: "npipe:////./pipe/my engine", Engine: &engine.Version{OSType: "windows"}}),
		`wsl --distro "My Distro" --exec ls -l '/run/a b''c$(touch PWNED).sock'`: {codes.PipeOpen.Hint("to see it", advice.InDistro(name, "", "ls", "-l", oddSocket))},
		`cmd /c rmdir /s /q "C:\Users\A & B\Programs\docker-wsl-bridge"`:         advice.LeftHints("x", `C:\Users\A & B\Programs\docker-wsl-bridge`, false, false),
	} {
		if got := list[len(list)-1].Command + "\n" + list[0].Command; !strings.Contains(got+"\n", want+"\n") {
			t.Errorf("%s\nis not in\n%s", want, got)
		}
	}
}
