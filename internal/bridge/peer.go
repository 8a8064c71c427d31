package bridge

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockerapi"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/relay"
)

// peer is what both have in common: it dials for the other half's clients, and brings its own
// clients to the other half. The host does the first for forward links and the second for reverse ones,
// the agent the other way round.
type peer struct {
	session *mux.Session
	log     *slog.Logger
	routes  routes
	whole   bool              // of the connections it dials: see relay.Relay
	control func(*mux.Stream) // takes what the other half asks, or tells

	stats   *Stats      // nil: none are kept
	cutting atomic.Bool // streams that end now were cut

	liveness *liveness
	idle     idle
	memory   relay.Memory
	relays   sync.WaitGroup
}

func newPeer(session *mux.Session, log *slog.Logger) peer {
	return peer{
		session: session, log: log, liveness: &liveness{session: session},
		routes: routes{to: map[string]Dial{}, joined: map[string]int{}},
	}
}

// acceptIncomingStreams takes the other half's streams until the session ends.
func (h *peer) acceptIncomingStreams() {
	defer h.routes.refuseNewClients()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for {
		offer, err := h.session.Accept()
		if err != nil {
			return
		}
		if offer.Link() == controlLink {
			h.relays.Go(func() { h.control(offer.Accept()) })
			continue
		}
		h.relays.Go(func() { h.serveIncomingStream(ctx, offer) })
	}
}

// serveIncomingStream dials what the stream is for and relays.
func (h *peer) serveIncomingStream(ctx context.Context, offer *mux.IncomingStream) {
	link := offer.Link()
	dial, known := h.routes.enterIncomingStream(link)
	if !known {
		h.log.Debug("link refused", "link", link, "reason", "unknown")
		offer.Refuse(mux.RefuseUnknownLink)
		return
	}
	defer h.routes.leaveRoute(link)
	if r, f := h.dialTarget(ctx, offer, dial); r != nil {
		r.Run()
		h.stats.endFlow(f)
	}
}

// dialTarget is the stream joined to what it is for; nil if that is not to be had. It has its own
// frame: what join holds, each idle stream does.
func (h *peer) dialTarget(ctx context.Context, offer *mux.IncomingStream, dial Dial) (*relay.Relay, *connStats) {
	conn, err := dial(ctx)
	if err != nil {
		h.log.Debug("link refused", "link", offer.Link(), "reason", err)
		code := refuseCodeOf(err)
		h.stats.countRefusedStream(offer.Link(), code)
		offer.Refuse(code)
		return nil, nil
	}
	f := h.stats.beginFlow(h, offer.Link(), offer.ID(), nil)
	r := relay.New(conn, offer.Accept(), relay.Engines)
	r.Memory, r.Whole, r.Flow = &h.memory, h.whole, f
	return r, f
}

// routes are where the links lead that the other half may open, and how many connections of any
// link there are.
type routes struct {
	mu     sync.Mutex
	over   bool // the session is
	to     map[string]Dial
	joined map[string]int
}

func (l *routes) addRoute(link string, dial Dial) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to[link] = dial
}

func (l *routes) removeRoute(link string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.to, link)
}

func (l *routes) hasRoute(link string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to[link] != nil
}

// enterIncomingStream counts a connection to a link. What is asked for that is no link is not counted.
func (l *routes) enterIncomingStream(link string) (dial Dial, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if dial, known = l.to[link]; known {
		l.joined[link]++
	}
	return dial, known
}

// enterOwnClient counts a connection of a client of this half, which relays waits for then, unless the session is
// over.
func (l *routes) enterOwnClient(link string, relays *sync.WaitGroup) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false
	}
	l.joined[link]++
	relays.Add(1)
	return true
}

func (l *routes) leaveRoute(link string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.joined[link]--; l.joined[link] == 0 {
		delete(l.joined, link)
	}
}

func (l *routes) refuseNewClients() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}

func (l *routes) countOf(link string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.joined[link]
}

func (l *routes) countAllConnections() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, of := range l.joined {
		n += of
	}
	return n
}

// forwardClient brings a client to the other half, whatever it speaks, and returns at its end. prepare may
// be nil.
func (h *peer) forwardClient(c *client, link string, prepare func(*relay.Relay) (done func())) {
	defer c.closeAndForget()
	r, f := h.openClientRelay(c, link)
	if r == nil {
		return
	}
	defer h.stats.endFlow(f)
	if prepare != nil {
		defer prepare(r)()
	}
	if c.words != nil && dockerapi.IsRead(c.first) {
		defer h.watchForFreeze(r)()
	}
	r.Run()
}

// openClientRelay is a client joined to its stream; nil if it was turned away. It has its own frame, as meet.
func (h *peer) openClientRelay(c *client, link string) (*relay.Relay, *connStats) {
	stream, why := h.openStream(link)
	if why != "" {
		c.refuseWithReason(why)
		return nil, nil
	}
	var f *connStats
	if h.stats != nil {
		f = h.stats.beginFlow(h, link, stream.ID(), &Peer{Call: dockerapi.CallOf(c.first)})
	}
	r := relay.New(c.conn, stream, relay.Clients)
	r.Memory, r.Whole, r.Flow, r.First = &h.memory, c.whole, f, c.first
	if c.words != nil {
		r.Tell = c.tellReason
	}
	return r, f
}
