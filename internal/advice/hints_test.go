package advice

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// Whatever a client of a docker link may be told names a code, also for reasons that are new.
func TestEveryAnswerNamesACode(t *testing.T) {
	source, err := os.ReadFile("../../internal/bridge/docker.go")
	if err != nil {
		t.Fatal(err)
	}
	all := Answers(`npipe:////./pipe/docker_engine`)
	reasons := regexp.MustCompile(`(?m)^\tWhy\w+\s+= "([a-z-]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(reasons) < 8 {
		t.Fatalf("reasons: %q", reasons)
	}
	for _, why := range append(reasons, []string{"", bridge.WhyLinuxPath}) {
		if said := ReverseWords(why[1], "Debian", "/run/x.sock", tunnel.Lost, "it is gone"); !hasCode(said) {
			t.Errorf("%s of a reverse link: %q", why[1], said)
		}
		if !hasCode(all[why[1]]) {
			t.Errorf("%s: %q", why[1], all[why[1]])
		}
	}
}

// Who meets a bridge that serves the place already is told how to use it if it is the installed one, and
// how to end it whoever's it is.
func TestAPlaceThatIsServedTellsBy(t *testing.T) {
	docker := control.Link{Kind: config.Docker, Distro: "Debian", Socket: "/run/x.sock", Context: "windows"}
	plain, raw, all, files := docker, docker, docker, control.Link{Kind: config.Docker}
	plain.Context, raw.Kind = "", config.Raw
	all.Distro, all.Host = config.All, "Other"
	const what = "DWB304: it is the installed program, which starts at logon; "
	for _, c := range []struct {
		link      control.Link
		use, end  string
		installed bool
	}{
		{docker, what + "to use it, in Debian, run: docker --context windows version", "DWB304: to end it, run: docker-wsl-bridge stop --distro Debian --socket /run/x.sock", true},
		{plain, what + "to use it, in Debian, run: docker -H unix:///run/x.sock version", "DWB304: to end it, run: docker-wsl-bridge stop --distro Debian --socket /run/x.sock", true},
		{all, what + "to use it, in Other, run: docker --context windows version", `DWB304: to end it, run: docker-wsl-bridge stop --distro "*" --socket /run/x.sock`, true},
		{raw, what + "to see how it is, run: docker-wsl-bridge status", "DWB304: to end it, run: docker-wsl-bridge stop --distro Debian --socket /run/x.sock", true},
		{files, what + "to see how it is, run: docker-wsl-bridge status", "DWB304: to end it, run: docker-wsl-bridge stop", true},
		{docker, "", "DWB304: to end it, run: docker-wsl-bridge stop --distro Debian --socket /run/x.sock", false},
	} {
		var list []string
		for _, h := range RunsHints(control.Status{Link: c.link}, c.installed) {
			list = append(list, h.String())
		}
		follow := slices.ContainsFunc(list, func(h string) bool { return strings.Contains(h, "docker-wsl-bridge logs -f") })
		if !slices.Contains(list, c.end) || follow != c.installed || c.installed && list[0] != c.use || strings.Contains(strings.Join(list, "\n"), "installed") != c.installed {
			t.Errorf("%+v, %v: %q", c.link, c.installed, list)
		}
	}
}

func hasCode(said string) bool {
	for _, e := range codes.AllEntries() {
		if strings.HasPrefix(said, string(e.Code)+": ") || strings.HasSuffix(said, " ("+string(e.Code)+")") {
			return true
		}
	}
	return false
}

// Every error that has a cure has one with a code, and tells the distro by its name.
func TestEveryCureNamesACode(t *testing.T) {
	for _, c := range cures {
		list := Hints("Debian", fmt.Errorf("do it: %w", c.err))
		if len(list) == 0 {
			t.Errorf("%v has no hint", c.err)
		}
		for _, h := range list {
			if line := h.String(); !hasCode(line) || strings.Contains(line, "DISTRO") {
				t.Errorf("%v: %q", c.err, line)
			}
		}
	}
	if list := Hints("", errors.New("something else")); list != nil {
		t.Errorf("%v", list)
	}
}
