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

// setInitialLinks takes what a daemon was made with, unless it was changed before it ran.
func (w *wanted) setInitialLinks(links []Link, whileRunning bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.set {
		w.putLinks(links, whileRunning)
	}
}

func (w *wanted) putLinks(links []Link, whileRunning bool) {
	w.set, w.links, w.whileRunning = true, slices.Clone(links), whileRunning
	if w.changed != nil {
		close(w.changed)
	}
	w.changed = make(chan struct{})
}

func (w *wanted) currentLinks() ([]Link, <-chan struct{}) {
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

// SetLinks changes what is served, at once where a carrier is up. Links with the same Listen
// and Version as before are not touched, but for where new connections lead; connections of one that
// is gone go on.
func (d *Tunnel) SetLinks(links []Link, whileRunning bool) {
	d.wanted.mu.Lock()
	defer d.wanted.mu.Unlock()
	d.wanted.putLinks(links, whileRunning)
}

// serving is a carrier in use.
type serving struct {
	d      *Tunnel
	host   *bridge.Host
	placed bool
	posts  map[string]*linkWorker // by link

	mu     sync.Mutex
	agent  bridge.Agent // once it listens
	served []string     // sockets, each once
}

// linkWorker is a link in a session. Its worker, while there is one, is the only one to change listed.
type linkWorker struct {
	link   Link
	gone   bool                                // the link is wanted no more
	listed func(context.Context, string) error // takes it back from the agent, which has it or may; nil: it has not
	stop   context.CancelFunc
	work   sync.WaitGroup
}

// listenForAll has the agent listen for all links, all at once: one that takes its time holds
// up no other. It is the error of one of them if it could listen for none.
func (s *serving) listenForAll(ctx context.Context) error {
	links, _ := s.d.wanted.currentLinks()
	errs := make([]error, len(links))
	posts := make([]*linkWorker, len(links))
	var asking sync.WaitGroup
	for i, l := range links {
		posts[i] = &linkWorker{link: l}
		s.posts[l.Name] = posts[i]
		asking.Go(func() { errs[i] = s.attemptToListen(ctx, posts[i]) })
	}
	asking.Wait()
	if len(links) > 0 && !slices.Contains(errs, nil) {
		return errs[0]
	}
	for i, err := range errs {
		if err != nil {
			s.startLinkWorker(ctx, posts[i], err)
		}
	}
	return nil
}

// attemptToListen has the agent listen for a link as it is now, or no more.
func (s *serving) attemptToListen(ctx context.Context, p *linkWorker) error {
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
		return s.openReverseLink(ctx, p)
	}
	s.host.Route(p.link.Name, p.link.Dial)
	where, err := s.host.Listen(ctx, p.link.Listen)
	var refused *bridge.AgentError
	if errors.As(err, &refused) {
		s.host.Unroute(p.link.Name)
	} else { // without an answer it may
		p.listed = s.host.StopListening
	}
	if err != nil {
		return &SocketError{s.d.Distro, err}
	}
	s.noteListeningSocket(p.link.Listen.Socket, where.Agent)
	s.d.reportEvent(Event{State: Serving, Link: p.link.Name, Placed: s.placed, Where: where})
	return nil
}

// openReverseLink has the clients of a reverse link come through this session, once the agent knows where to.
func (s *serving) openReverseLink(ctx context.Context, p *linkWorker) error {
	where, err := s.host.RouteInAgent(ctx, p.link.Lead)
	p.listed = s.host.UnrouteInAgent
	if err != nil {
		return &SocketError{s.d.Distro, err}
	}
	s.noteListeningSocket("", where.Agent)
	p.link.Door.RouteThrough(s.host)
	s.d.reportEvent(Event{State: Serving, Link: p.link.Name, Placed: s.placed, Where: bridge.Listening{Agent: where.Agent}})
	return nil
}

// shutReverseLink has clients of a reverse link wait for another session.
func (p *linkWorker) shutReverseLink() {
	if p.link.Door != nil {
		p.link.Door.RouteThrough(nil)
	}
}

// noteListeningSocket notes what is to be cleaned up.
func (s *serving) noteListeningSocket(socket string, agent bridge.Agent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agent = agent
	if socket != "" && !slices.Contains(s.served, socket) {
		s.served = append(s.served, socket)
	}
}

// whatIsLeftBehind is what may be left behind.
func (s *serving) whatIsLeftBehind() (agent bridge.Agent, sockets []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.agent, slices.Clone(s.served)
}

// followWantedLinks brings about what is wanted, until the session or ctx ends.
func (s *serving) followWantedLinks(ctx context.Context) {
	defer func() {
		for _, p := range s.posts {
			p.endWorker()
			p.shutReverseLink()
		}
	}()
	for {
		links, changed := s.d.wanted.currentLinks()
		s.changeLinks(ctx, links)
		select {
		case <-changed:
		case <-s.host.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// changeLinks begins to work on the links that are others than before.
func (s *serving) changeLinks(ctx context.Context, links []Link) {
	for name, p := range s.posts {
		if !p.gone && !slices.ContainsFunc(links, func(l Link) bool { return l.Name == name }) {
			p.endWorker()
			p.shutReverseLink()
			p.gone = true
			s.startLinkWorker(ctx, p, nil)
		}
	}
	for _, l := range links {
		p := s.posts[l.Name]
		if p == nil {
			p = &linkWorker{}
			s.posts[l.Name] = p
		} else if !p.gone && p.link.isSame(&l) {
			if l.Door == nil {
				s.host.Route(l.Name, l.Dial)
			}
			continue
		}
		p.endWorker()
		p.shutReverseLink()
		p.link, p.gone = l, false
		s.startLinkWorker(ctx, p, nil)
	}
}

// isSame tells whether two links of a name are one, wherever it leads to on this side.
func (l *Link) isSame(m *Link) bool {
	return l.Version == m.Version && reflect.DeepEqual(l.Listen, m.Listen) && l.Door == m.Door && l.Lead == m.Lead
}

// endWorker ends the worker.
func (p *linkWorker) endWorker() {
	if p.stop != nil {
		p.stop()
	}
	p.work.Wait()
}

// startLinkWorker starts a worker that tries until an attempt succeeds. failed is how the first one has failed.
func (s *serving) startLinkWorker(ctx context.Context, p *linkWorker, failed error) {
	ctx, p.stop = context.WithCancel(ctx)
	attempt := func(ctx context.Context) (well time.Duration, err error) {
		if err, failed = failed, nil; err == nil {
			err = s.attemptToListen(ctx, p)
		}
		return 0, err
	}
	p.work.Go(func() {
		_ = supervisor.Run(ctx, attempt, func(err error, pause time.Duration) (last bool) {
			if err == nil || s.host.Err() != nil {
				return true // with the session it is another's affair
			}
			if !p.gone {
				s.d.reportEvent(Event{State: Failing, Link: p.link.Name, Err: err, Pause: pause})
			}
			return false
		}, nil)
	})
}
