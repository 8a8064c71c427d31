package daemon

import (
	"context"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
)

// changing runs one change of what is served, when it is set up and no other change is under way. It
// returns false, and runs none, if ctx or the fleet ends before.
//
// A change waits for the ends of links. So its turn is a token and not a lock that anybody else needs:
// the end of a link waits for the answers to drains of it, and those read the crews.
func (f *fleet) changing(ctx context.Context, change func()) bool {
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

// arrange has the crews serve these links, and tells what is new. It is called by one at a time.
func (f *fleet) arrange(now []links.Link) control.Reloaded {
	f.mu.Lock()
	done := compare(f.links, now)
	f.unseat(now)
	f.links = now
	f.mu.Unlock()
	f.assign()
	return done
}

// name gives the default distro its name, and its links to that distro's crew.
func (f *fleet) name(distro string) {
	f.changing(f.ctx, func() {
		f.mu.Lock()
		f.named = distro
		f.mu.Unlock()
		f.assign()
	})
}

// assign gives each link to its distro's crew. Links go before others come, which may want their
// sockets. It is called by one at a time, without the lock.
func (f *fleet) assign() {
	end(f.going())
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.links {
		l := &f.links[i]
		distro := f.distroOf(l)
		c := f.crews[strings.ToLower(distro)]
		if c == nil {
			c = f.crew(distro, f.seats[l.Name] != "")
		}
		c.take(l)
	}
	for distro, c := range f.crews {
		if c.idle() {
			c.stop()
			delete(f.crews, distro)
		}
	}
}

// going takes from the crews the links that are theirs no more.
func (f *fleet) going() (all []*post) {
	f.mu.Lock()
	defer f.mu.Unlock()
	comesAgain := func(l *links.Link) bool { return links.Named(f.links, l.Name) != nil }
	for distro, c := range f.crews {
		all = append(all, c.part(func(l *links.Link) bool {
			now := links.Named(f.links, l.Name)
			return now != nil && now.Equal(l) && strings.ToLower(f.distroOf(now)) == distro
		}, comesAgain)...)
	}
	return all
}

// end ends links, all at once, and returns when their places are free.
func end(going []*post) {
	for _, p := range going {
		p.leave()
	}
	for _, p := range going {
		<-p.ended
	}
}

// crew makes one for a distro. It lives as long as the fleet or until it has nothing to do.
func (f *fleet) crew(distro string, awaits bool) *crew {
	c := newCrew(f, distro)
	c.awaits = awaits
	f.crews[strings.ToLower(distro)] = c
	c.start(f.ctx)
	return c
}

// allCrews are those of now.
func (f *fleet) allCrews() (all []*crew) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.crews {
		all = append(all, c)
	}
	return all
}
