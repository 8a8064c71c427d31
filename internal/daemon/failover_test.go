package daemon

import (
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// The next distro is the one that is named, if it runs, else the first that does. It stays where it is
// as long as that one runs.
func TestNextHost(t *testing.T) {
	all := []string{"Ubuntu", "Debian", "Arch"}
	for _, c := range []struct {
		host, now      string
		running, hosts []string
		want           string
	}{
		{"", "Fedora", all, all, "Ubuntu"},
		{"debian", "Fedora", all, all, "Debian"},
		{"SUSE", "Fedora", all, all, "Ubuntu"},
		{"Debian", "arch", all, all, ""},
		{"", "Fedora", []string{"docker-desktop"}, nil, ""},
		{"", "docker-desktop", []string{"docker-desktop", "Arch"}, []string{"Arch"}, ""},
		{"", "Fedora", nil, nil, ""},
	} {
		if got := nextHost(&links.Link{Host: c.host}, c.now, c.running, c.hosts); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// A link of all distros is handed on when its distro is not there, and not when it is only lost.
func TestStranded(t *testing.T) {
	f := newDaemon(ofFile("c.toml", nil))
	f.links = []links.Link{{Name: "all", Distro: config.All, Shared: true, Host: "Ubuntu"}, {Name: "own", Distro: "Ubuntu"}}
	c := newDistroServer(f, "Ubuntu")
	f.servers["ubuntu"] = c
	for _, e := range []tunnel.Event{
		{State: tunnel.Starting}, {State: tunnel.Lost, Err: tunnel.ErrWedged}, {State: tunnel.Frozen}, {State: tunnel.Thawed},
	} {
		if c.last = e; len(f.unservedLinks()) != 0 {
			t.Errorf("%s: handed on", e.State)
		}
	}
	for _, e := range []tunnel.Event{
		{State: tunnel.Stopped}, {State: tunnel.Gone}, {State: tunnel.Unused}, {State: tunnel.Lost, Err: wsl.ErrVersion1},
	} {
		if c.last = e; len(f.unservedLinks()) != 1 || f.unservedLinks()[0].Name != "all" {
			t.Errorf("%s: stays", e.State)
		}
	}
	f.placements["all"] = "Debian"
	if len(f.unservedLinks()) != 0 {
		t.Error("another distro serves it")
	}
}

// Who has taken over keeps the link until its host is another one in the configuration.
func TestSeatOutlivesAReload(t *testing.T) {
	f := newDaemon(ofFile("c.toml", nil))
	f.named = "Ubuntu"
	all := links.Link{Name: "all", Distro: config.All, Shared: true, Uids: []int{1000}}
	f.links, f.placements["all"] = []links.Link{all}, "Debian"
	all.Uids = []int{1001}
	if f.forgetPlacements([]links.Link{all}); f.placementOf(&all) != "Debian" {
		t.Errorf("with other users it goes to %s", f.placementOf(&all))
	}
	all.Host = "Arch"
	if f.forgetPlacements([]links.Link{all}); f.placementOf(&all) != "Arch" {
		t.Errorf("with another host it goes to %s", f.placementOf(&all))
	}
	if all.Host = ""; f.placementOf(&all) != "Ubuntu" {
		t.Errorf("without a host it goes to %s", f.placementOf(&all))
	}
	f.placements["all"] = "Debian"
	if f.forgetPlacements(nil); f.placements["all"] != "" {
		t.Error("a link that is gone keeps its distro")
	}
}
