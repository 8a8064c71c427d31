package daemon

import (
	"context"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
)

// applyOneChange runs one change of what is served, when it is set up and no other change is under way. It
// returns false, and runs none, if ctx or the daemon ends before.
//
// A change waits for the ends of links. So its turn is a token and not a lock that anybody else needs:
// the end of a link waits for the answers to drains of it, and those read the servers.
func (f *daemon) applyOneChange(ctx context.Context, change func()) bool {
	select {
	case <-f.ready:
	case <-ctx.Done():
		return false
	case <-f.ctx.Done():
		return false
	}
	select {
	case f.turns <- struct{}{}:
	case <-ctx.Done():
		return false
	case <-f.ctx.Done():
		return false
	}
	defer func() { <-f.turns }()
	if ctx.Err() != nil || f.ctx.Err() != nil {
		return false
	}
	change()
	return true
}

// arrangeWantedLinks has the servers serve these links, and tells what is new. It is called by one at a time.
func (f *daemon) arrangeWantedLinks(now []links.Link) control.Reloaded {
	f.mu.Lock()
	done := compareLinks(f.links, now)
	f.forgetPlacements(now)
	f.links = now
	f.mu.Unlock()
	f.assignLinksToDistros()
	return done
}

// nameDefaultDistro gives the default distro its name, and its links to that distro's server.
func (f *daemon) nameDefaultDistro(distro string) {
	f.applyOneChange(f.ctx, func() {
		f.mu.Lock()
		f.named = distro
		f.mu.Unlock()
		f.assignLinksToDistros()
	})
}

// assignLinksToDistros gives each link to its distro's server. Links go before others come, which may want their
// sockets. It is called by one at a time, without the lock.
func (f *daemon) assignLinksToDistros() {
	endServedLinks(f.takeLeavingLinks())
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.links {
		l := &f.links[i]
		distro := f.distroOf(l)
		c := f.servers[strings.ToLower(distro)]
		if c == nil {
			c = f.serverForDistro(distro, f.placements[l.Name] != "")
		}
		c.addLink(l)
	}
	for distro, c := range f.servers {
		if c.isIdle() {
			c.stop()
			delete(f.servers, distro)
		}
	}
}

// takeLeavingLinks takes from the servers the links that are theirs no more.
func (f *daemon) takeLeavingLinks() (all []*servedLink) {
	f.mu.Lock()
	defer f.mu.Unlock()
	comesAgain := func(l *links.Link) bool { return links.FindNamed(f.links, l.Name) != nil }
	for distro, c := range f.servers {
		all = append(all, c.removeLinks(func(l *links.Link) bool {
			now := links.FindNamed(f.links, l.Name)
			return now != nil && now.Equal(l) && strings.ToLower(f.distroOf(now)) == distro
		}, comesAgain)...)
	}
	return all
}

// endServedLinks ends links, all at once, and returns when their places are free.
func endServedLinks(going []*servedLink) {
	for _, p := range going {
		p.leave()
	}
	for _, p := range going {
		<-p.ended
	}
}

// serverForDistro makes one for a distro. It lives as long as the daemon or until it has nothing to do.
func (f *daemon) serverForDistro(distro string, awaits bool) *distroServer {
	c := newDistroServer(f, distro)
	c.awaits = awaits
	f.servers[strings.ToLower(distro)] = c
	c.startRun(f.ctx)
	return c
}

// allServers are those of now.
func (f *daemon) allServers() (all []*distroServer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.servers {
		all = append(all, c)
	}
	return all
}
