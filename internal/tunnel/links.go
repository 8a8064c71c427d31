package tunnel

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervisor"
)

// wanted is what is to be served.
type wanted struct {
	mu           sync.Mutex
	set          bool
	links        []Link
	whileRunning bool
	changed      chan struct{} // closed, and replaced, with each change
}

// begin takes what a daemon was made with, unless it was changed before it ran.
func (w *wanted) begin(links []Link, whileRunning bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.set {
		w.put(links, whileRunning)
	}
}

func (w *wanted) put(links []Link, whileRunning bool) {
	w.set, w.links, w.whileRunning = true, slices.Clone(links), whileRunning
	if w.changed != nil {
		close(w.changed)
	}
	w.changed = make(chan struct{})
}

func (w *wanted) now() ([]Link, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.links, w.changed
}

// mayStop tells whether the distro may, and when to ask again.
func (w *wanted) mayStop() (may bool, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.whileRunning, w.changed
}

// Set changes what is served, at once where a carrier is up. Links with the same Listen
// and Version as before are not touched, but for where new connections lead; connections of one that
// is gone go on.
func (d *Tunnel) Set(links []Link, whileRunning bool) {
	d.wanted.mu.Lock()
	defer d.wanted.mu.Unlock()
	d.wanted.put(links, whileRunning)
}

// serving is a carrier in use.
type serving struct {
	d      *Tunnel
	host   *bridge.Host
	placed bool
	posts  map[string]*post // by link

	mu     sync.Mutex
	agent  bridge.Agent // once it listens
	served []string     // sockets, each once
}

// post is a link in a session. Its worker, while there is one, is the only one to change listed.
type post struct {
	link   Link
	gone   bool                                // the link is wanted no more
	listed func(context.Context, string) error // takes it back from the agent, which has it or may; nil: it has not
	stop   context.CancelFunc
	work   sync.WaitGroup
}

// listen has the agent listen for all links, all at once: one that takes its time holds
// up no other. It is the error of one of them if it could listen for none.
func (s *serving) listen(ctx context.Context) error {
	links, _ := s.d.wanted.now()
	errs := make([]error, len(links))
	posts := make([]*post, len(links))
	var asking sync.WaitGroup
	for i, l := range links {
		posts[i] = &post{link: l}
		s.posts[l.Name] = posts[i]
		asking.Go(func() { errs[i] = s.attempt(ctx, posts[i]) })
	}
	asking.Wait()
	if len(links) > 0 && !slices.Contains(errs, nil) {
		return errs[0]
	}
	for i, err := range errs {
		if err != nil {
			s.begin(ctx, posts[i], err)
		}
	}
	return nil
}

// attempt has the agent listen for a link as it is now, or no more.
func (s *serving) attempt(ctx context.Context, p *post) error {
	if p.listed != nil {
		if err := p.listed(ctx, p.link.Name); err != nil {
			return &SocketError{s.d.Distro, err}
		}
		p.listed = nil
	}
	if p.gone {
		return nil
	}
	if p.link.Door != nil {
		return s.open(ctx, p)
	}
	s.host.Lead(p.link.Name, p.link.Dial)
	where, err := s.host.Listen(ctx, p.link.Listen)
	var refused *bridge.AgentError
	if errors.As(err, &refused) {
		s.host.Unlead(p.link.Name)
	} else { // without an answer it may
		p.listed = s.host.Unlisten
	}
	if err != nil {
		return &SocketError{s.d.Distro, err}
	}
	s.listens(p.link.Listen.Socket, where.Agent)
	s.d.report(Event{State: Serving, Link: p.link.Name, Placed: s.placed, Where: where})
	return nil
}

// open has the clients of a reverse link come through this session, once the agent knows where to.
func (s *serving) open(ctx context.Context, p *post) error {
	where, err := s.host.LeadAgent(ctx, p.link.Lead)
	p.listed = s.host.UnleadAgent
	if err != nil {
		return &SocketError{s.d.Distro, err}
	}
	s.listens("", where.Agent)
	p.link.Door.Lead(s.host)
	s.d.report(Event{State: Serving, Link: p.link.Name, Placed: s.placed, Where: bridge.Listening{Agent: where.Agent}})
	return nil
}

// shut has clients of a reverse link wait for another session.
func (p *post) shut() {
	if p.link.Door != nil {
		p.link.Door.Lead(nil)
	}
}

// listens notes what is to be cleaned up.
func (s *serving) listens(socket string, agent bridge.Agent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agent = agent
	if socket != "" && !slices.Contains(s.served, socket) {
		s.served = append(s.served, socket)
	}
}

// left is what may be left behind.
func (s *serving) left() (agent bridge.Agent, sockets []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.agent, slices.Clone(s.served)
}

// follow brings about what is wanted, until the session or ctx ends.
func (s *serving) follow(ctx context.Context) {
	defer func() {
		for _, p := range s.posts {
			p.rest()
			p.shut()
		}
	}()
	for {
		links, changed := s.d.wanted.now()
		s.change(ctx, links)
		select {
		case <-changed:
		case <-s.host.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// change begins to work on the links that are others than before.
func (s *serving) change(ctx context.Context, links []Link) {
	for name, p := range s.posts {
		if !p.gone && !slices.ContainsFunc(links, func(l Link) bool { return l.Name == name }) {
			p.rest()
			p.shut()
			p.gone = true
			s.begin(ctx, p, nil)
		}
	}
	for _, l := range links {
		p := s.posts[l.Name]
		if p == nil {
			p = &post{}
			s.posts[l.Name] = p
		} else if !p.gone && p.link.same(&l) {
			if l.Door == nil {
				s.host.Lead(l.Name, l.Dial)
			}
			continue
		}
		p.rest()
		p.shut()
		p.link, p.gone = l, false
		s.begin(ctx, p, nil)
	}
}

// same tells whether two links of a name are one, wherever it leads to on this side.
func (l *Link) same(m *Link) bool {
	return l.Version == m.Version && reflect.DeepEqual(l.Listen, m.Listen) && l.Door == m.Door && l.Lead == m.Lead
}

// rest ends the worker.
func (p *post) rest() {
	if p.stop != nil {
		p.stop()
	}
	p.work.Wait()
}

// begin starts a worker that tries until an attempt succeeds. failed is how the first one has failed.
func (s *serving) begin(ctx context.Context, p *post, failed error) {
	ctx, p.stop = context.WithCancel(ctx)
	attempt := func(ctx context.Context) (well time.Duration, err error) {
		if err, failed = failed, nil; err == nil {
			err = s.attempt(ctx, p)
		}
		return 0, err
	}
	p.work.Go(func() {
		_ = supervisor.Run(ctx, attempt, func(err error, pause time.Duration) (last bool) {
			if err == nil || s.host.Err() != nil {
				return true // with the session it is another's affair
			}
			if !p.gone {
				s.d.report(Event{State: Failing, Link: p.link.Name, Err: err, Pause: pause})
			}
			return false
		}, nil)
	})
}
