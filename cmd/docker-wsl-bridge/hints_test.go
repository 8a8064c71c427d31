package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/daemon"
)

// Whatever a client of a docker link may be told names a code, also for reasons that are new.
func TestEveryAnswerNamesACode(t *testing.T) {
	source, err := os.ReadFile("../../internal/bridge/docker.go")
	if err != nil {
		t.Fatal(err)
	}
	all := answers(`npipe:////./pipe/docker_engine`)
	reasons := regexp.MustCompile(`(?m)^\tWhy\w+\s+= "([a-z-]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(reasons) < 8 {
		t.Fatalf("reasons: %q", reasons)
	}
	for _, why := range append(reasons, []string{"", bridge.WhyLinuxPath}) {
		if said := reverseWords(why[1], "Debian", "/run/x.sock", daemon.Lost, "it is gone"); !hasCode(said) {
			t.Errorf("%s of a reverse link: %q", why[1], said)
		}
		if !hasCode(all[why[1]]) {
			t.Errorf("%s: %q", why[1], all[why[1]])
		}
	}
}

func hasCode(said string) bool {
	for _, e := range codes.Table() {
		if strings.HasSuffix(said, " ("+string(e.Code)+")") {
			return true
		}
	}
	return false
}

// Every error that has a cure has one with a code, and tells the distro by its name.
func TestEveryCureNamesACode(t *testing.T) {
	for _, c := range cures {
		list := hints(&failure{fmt.Errorf("do it: %w", c.err), "Debian"})
		if len(list) == 0 {
			t.Errorf("%v has no hint", c.err)
		}
		for _, h := range list {
			if line := hintLine(h); !strings.HasPrefix(line, "hint: ") || !hasCode(strings.TrimSuffix(line, "\n")) || strings.Contains(line, "DISTRO") {
				t.Errorf("%v: %q", c.err, line)
			}
		}
	}
	if list := hints(&failure{error: errors.New("something else")}); list != nil {
		t.Errorf("%v", list)
	}
}
