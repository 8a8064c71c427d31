package daemon

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/logs"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/supervisor"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// distroServer serves the links of one distro.
type distroServer struct {
	f      *daemon
	distro string // as the configuration has it; empty: the default one, while it has no name
	stop   context.CancelFunc
	first  chan struct{}                     // closed when there is something to serve
	begin  func()                            // closes it
	wake   chan struct{}                     // the machine has just woken up
	awaits bool                              // it is not for us to start the distro
	naming *console.EventQueue[tunnel.Event] // makes docker contexts, and holds up nobody

	// mu guards what follows. With it no file is written and nothing is waited for.
	mu      sync.Mutex
	over    bool                   // it takes no links any more
	posts   map[string]*servedLink // by link
	daemon  *tunnel.Tunnel         // nil until the distro is found
	last    tunnel.Event           // of those of all links
	events  int                    // counts those
	opening int                    // counts the links that were opened
}

// servedLink is a link and, once it has its place, its instance.
type servedLink struct {
	link   links.Link // as it is wanted
	placed links.Link // in the server's distro
	leave  context.CancelFunc
	ended  chan struct{}
	// replaced tells that another link of the name comes; before leave is called.
	replaced bool
	why      error // of flags: what ended the link, if that is an error; before leave is called

	// With the server's lock.
	in     *instance      // nil until it has its place
	events sync.WaitGroup // those that in is being told; none is begun once the server has parted with the link
	served tunnel.Link
	look   bridge.Dial   // dials for status, which what was seen before does not count for
	engine func() string // what it leads to
}

func newDistroServer(f *daemon, distro string) *distroServer {
	c := &distroServer{f: f, distro: distro, first: make(chan struct{}), wake: make(chan struct{}, 1), posts: map[string]*servedLink{}}
	c.begin = sync.OnceFunc(func() { close(c.first) })
	return c
}

// startRun runs it until ctx ends or stop is called.
func (c *distroServer) startRun(ctx context.Context) {
	ctx, c.stop = context.WithCancel(ctx)
	c.naming = console.NewEventQueue(func(e tunnel.Event) { c.name(ctx, e) })
	c.f.running.Go(func() {
		defer c.naming.Close()
		defer c.stop()
		c.endAllLinks(c.runUntilDone(ctx))
	})
}

// endAllLinks ends all links, and takes none any more.
func (c *distroServer) endAllLinks(why error) {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	none := func(*links.Link) bool { return false }
	going := c.removeLinks(none, none)
	for _, p := range going {
		p.why = why
	}
	endServedLinks(going)
}

// runUntilDone keeps the distro connected until ctx ends. An error is one of flags: it is told elsewhere.
func (c *distroServer) runUntilDone(ctx context.Context) error {
	w, distro := c.chooseDistro(ctx)
	if distro == "" {
		return nil
	}
	if c.distro == "" {
		c.f.nameDefaultDistro(distro)
		return nil // its links have another server now
	}
	select {
	case <-c.first:
	case <-ctx.Done():
		if c.f.o.Strict {
			return context.Cause(ctx)
		}
		return nil
	}
	if c.f.o.Debug {
		w.Stderr = func() io.Writer { return c.f.lines(distro) }
	}
	d := &tunnel.Tunnel{
		WSL: w, Agent: c.f.agent, Distro: distro, Log: c.f.log, Debug: c.f.o.Debug, Report: c.event, Persist: !c.f.o.Strict, Wake: c.wake,
		Awaits: c.awaits,
	}
	c.mu.Lock()
	c.daemon = d
	c.updateTunnelLocked()
	c.mu.Unlock()
	err := d.Run(ctx)
	if err != nil && !c.f.flags {
		c.f.own.Error("distro "+distro, "error", err, logs.WithNumber(logs.EventFailed))
		return nil
	}
	return err
}

// chooseDistro has WSL tell the distro, as often as that takes, unless it was asked before.
func (c *distroServer) chooseDistro(ctx context.Context) (w distro.WSL, name string) {
	if c.f.o.Strict {
		return c.f.wsl, c.distro
	}
	return chooseUntilFound(ctx, c.distro, c.event, c.wake)
}

// updateTunnelLocked tells the daemon what to serve. It is called with the lock.
func (c *distroServer) updateTunnelLocked() {
	if c.daemon == nil {
		return
	}
	var links []tunnel.Link
	mayStop := true
	for _, p := range c.posts {
		if p.in == nil {
			continue
		}
		dial := p.look
		if p.placed.IsReverse() {
			dial = statusDial(c.daemon, p.placed.Name)
		}
		p.in.setServingTunnel(c.daemon, dial, p.engine)
		links = append(links, p.served)
		mayStop = mayStop && p.placed.KeepAlive == config.WhileRunning
	}
	c.daemon.SetLinks(links, mayStop)
}

// addLink begins to serve a link, unless it does.
func (c *distroServer) addLink(l *links.Link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || c.posts[l.Name] != nil {
		return
	}
	placed := *l
	switch {
	case l.Shared:
	case c.distro == "":
		placed = l.InDistro(unknownDistro)
	default:
		placed = l.InDistro(c.distro)
	}
	ctx, leave := context.WithCancel(context.Background())
	p := &servedLink{link: *l, placed: placed, leave: leave, ended: make(chan struct{})}
	c.posts[l.Name] = p
	go func() {
		defer close(p.ended)
		c.holdLinkPlace(ctx, p)
	}()
}

// removeLinks takes all links but some from the server; they are to be ended. comesAgain tells whether another
// link of the name follows.
func (c *distroServer) removeLinks(some, comesAgain func(*links.Link) bool) (going []*servedLink) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, p := range c.posts {
		if !some(&p.link) {
			p.replaced = comesAgain(&p.link)
			going = append(going, p)
			delete(c.posts, name)
		}
	}
	if len(going) > 0 {
		c.updateTunnelLocked()
	}
	return going
}

// currentTunnel is the server's tunnel, nil until there is one.
func (c *distroServer) currentTunnel() *tunnel.Tunnel {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.daemon
}

func (c *distroServer) isIdle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.posts) == 0
}

// holdLinkPlace has a link's place as long as the link is wanted, or tries to get it.
func (c *distroServer) holdLinkPlace(ctx context.Context, p *servedLink) {
	err := supervisor.Run(ctx, func(ctx context.Context) (well time.Duration, err error) {
		in, err := openInstance(ctx, p.placed, c.f.o.Debug, c.f.logPartner(), c.f.ownerOfLinks())
		if err != nil {
			return 0, err
		}
		var why error
		if p.placed.IsReverse() {
			err = c.holdReversePipe(ctx, p, in)
		} else {
			why = c.holdLinkSocket(ctx, p, in)
		}
		p.events.Wait() // its log takes no more after close
		c.f.cut.Add(in.countCutConnections())
		return 0, errors.Join(err, why, in.closeWithError(why))
	}, func(err error, pause time.Duration) (last bool) {
		if c.f.flags {
			return true
		}
		c.f.reportBrokenLink(p.link.Name, p.placed.Distro, err, pause)
		return false
	}, nil)
	if err != nil && c.f.flags {
		c.f.failWithError(err)
	}
}

// holdLinkSocket has a link served until ctx ends. An error is one of flags.
func (c *distroServer) holdLinkSocket(ctx context.Context, p *servedLink, in *instance) error {
	f := newEngineResolver(&p.placed, in)
	if c.f.flags {
		if err := c.f.prepareLink(ctx, &p.placed, f); err != nil {
			return err
		}
		c.f.adoptInstance(in)
	}
	c.serveOpenedPlace(p, in, forwardLink(&p.placed, in.dialNotingEngine(f.dialCached), f.possiblePlaces()), in.dialNotingEngine(f.dialFresh), f.knownPlace)
	<-ctx.Done()
	return p.why
}

// serveOpenedPlace has a link served that has its place now, once its log has how its distro is.
func (c *distroServer) serveOpenedPlace(p *servedLink, in *instance, l tunnel.Link, look bridge.Dial, engine func() string) {
	p.served, p.look, p.engine = l, look, engine
	for told := 0; ; {
		last, n := c.join(p, in, told)
		if n == told {
			return
		}
		in.handleTunnelEvent(last)
		told = n
	}
}

// join has a link served, unless it is to go again or something has happened after the events that it
// was told: then it gives the last one, and how many there are by now.
func (c *distroServer) join(p *servedLink, in *instance, told int) (last tunnel.Event, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.posts[p.link.Name] != p:
		return last, told
	case c.events != told:
		return c.last, c.events
	}
	c.opening++
	p.in, p.served.Version = in, c.opening
	c.updateTunnelLocked()
	c.begin()
	return last, told
}

// makeContext makes the docker context of a link that is served now, if it has one.
func (c *distroServer) makeContext(ctx context.Context, e tunnel.Event) *MadeContext {
	c.mu.Lock()
	p, d := c.posts[e.Link], c.daemon
	if p == nil || p.in == nil || d == nil {
		c.mu.Unlock()
		return nil
	}
	n := &namer{p.placed, d.WSL, d.Agent, p.in.own}
	c.mu.Unlock()
	return n.handleServedEvent(ctx, e)
}

// name makes a docker context beside what is told.
func (c *distroServer) name(ctx context.Context, e tunnel.Event) {
	if made := c.makeContext(ctx, e); made != nil && made.Err != nil && ctx.Err() == nil {
		c.f.show.ShowEvent(Event{Event: tunnel.Event{State: ContextFailed, Distro: c.distro, Link: e.Link, Err: made.Err}})
	}
}

// event tells whom it is about. It is called by one at a time. The links' files are written without
// the lock: a disk may stand still.
func (c *distroServer) event(e tunnel.Event) {
	for _, p := range c.note(e) {
		p.in.handleTunnelEvent(e)
		p.events.Done()
	}
	if e.Link == "" {
		c.f.roaming.wakeFailover()
	}
	if e.State == tunnel.Serving && !c.f.o.Strict {
		c.naming.ShowEvent(e)
	}
	if e.Distro == "" {
		e.Distro = "the default distro"
	}
	c.f.show.ShowEvent(Event{Event: e})
}

// note gives the links that an event is about. Each keeps its instance until its events are done.
func (c *distroServer) note(e tunnel.Event) (about []*servedLink) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.Link == "" {
		c.last = e
		c.events++
	}
	for name, p := range c.posts {
		if p.in != nil && (e.Link == "" || e.Link == name) {
			p.events.Add(1)
			about = append(about, p)
		}
	}
	return about
}
