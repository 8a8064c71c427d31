package daemon

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// roamEvery is how often a distro is looked for that takes over a socket of all distros.
const roamEvery = 8 * time.Second

// failover has the daemon look whether such a socket is to be served from elsewhere.
type failover chan struct{}

func newFailover() failover { return make(failover, 1) }

// wakeFailover is called when something has happened to a distro.
func (r failover) wakeFailover() {
	select {
	case r <- struct{}{}:
	default: // it looks already
	}
}

// failoverLoop hands sockets of all distros on, until the daemon ends: when the distro that serves one has
// stopped, one that runs takes over and keeps it until it stops itself. None is started for that.
func (f *daemon) failoverLoop() {
	for {
		var again <-chan time.Time
		if f.reassignOne(f.ctx) {
			again = time.After(roamEvery)
		}
		select {
		case <-f.roaming:
		case <-again:
		case <-f.ctx.Done():
			return
		}
	}
}

// reassignOne tells whether some socket is left without a distro that serves it.
func (f *daemon) reassignOne(ctx context.Context) (left bool) {
	f.mu.Lock()
	stranded := f.unservedLinks()
	f.mu.Unlock()
	if len(stranded) == 0 {
		return false
	}
	w, err := distro.FindWSL()
	if err != nil {
		return true
	}
	running, hosts, err := w.RunningHosts(ctx)
	if err != nil {
		return true
	}
	f.applyOneChange(ctx, func() {
		var moves []placementMove
		moves, left = f.reassignUnservedLinks(running, hosts)
		for _, m := range moves {
			f.own.Info("link "+m.link+" is served from another distro", "before", m.before, "now", m.now)
		}
		if len(moves) > 0 {
			f.assignLinksToDistros()
		}
	})
	return left
}

// placementMove is a link of all distros that another distro serves from now on.
type placementMove struct{ link, before, now string }

// reassignUnservedLinks gives links whose distro is not there to distros that are, as far as there are any.
func (f *daemon) reassignUnservedLinks(running, hosts []string) (moves []placementMove, left bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.unservedLinks() { // things may be others by now
		now := f.placementOf(l)
		to := nextHost(l, now, running, hosts)
		if to == "" {
			left = true
			continue
		}
		f.placements[l.Name] = to
		moves = append(moves, placementMove{l.Name, now, to})
	}
	return moves, left
}

// nextHost is the distro that takes a link over, or empty. One that runs again is left what it had.
func nextHost(l *links.Link, now string, running, hosts []string) string {
	is := func(name string) func(string) bool {
		return func(other string) bool { return strings.EqualFold(name, other) }
	}
	if len(hosts) == 0 || slices.ContainsFunc(running, is(now)) {
		return ""
	}
	if i := slices.IndexFunc(hosts, is(l.Host)); i >= 0 {
		return hosts[i]
	}
	return hosts[0]
}

// unservedLinks are the links of all distros whose distro is not there to serve them. It is called with
// the lock.
func (f *daemon) unservedLinks() (list []*links.Link) {
	for i := range f.links {
		l := &f.links[i]
		if !l.Shared {
			continue
		}
		if c := f.servers[strings.ToLower(f.placementOf(l))]; c != nil && c.isDistroAway() {
			list = append(list, l)
		}
	}
	return list
}

// placementOf is the distro that serves a link of all distros: that which has taken it over, else the one that
// is named, else the default one.
func (f *daemon) placementOf(l *links.Link) string {
	switch seat := f.placements[l.Name]; {
	case seat != "":
		return seat
	case l.Host != "":
		return l.Host
	}
	return f.named
}

// forgetPlacements forgets who has taken over links that are gone or are to be served by another one from now on. It
// is called with the lock.
func (f *daemon) forgetPlacements(now []links.Link) {
	for i := range f.links {
		old := &f.links[i]
		if l := links.FindNamed(now, old.Name); l == nil || l.Distro != old.Distro || l.Host != old.Host {
			delete(f.placements, old.Name)
		}
	}
}

// isDistroAway tells that the distro is not there to be served, as far as its server knows.
func (c *distroServer) isDistroAway() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.last.State {
	case tunnel.Stopped, tunnel.Gone, tunnel.Unused:
		return true
	}
	return errors.Is(c.last.Err, wsl.ErrVersion1)
}
