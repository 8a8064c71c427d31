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

// half is what both have in common: it dials for the other half's clients, and brings its own
// clients to the other half. The host does the first for forward links and the second for reverse ones,
// the agent the other way round.
type half struct {
	session *mux.Session
	log     *slog.Logger
	leads   leads
	whole   bool              // of the connections it dials: see relay.Relay
	control func(*mux.Stream) // takes what the other half asks, or tells

	books   *Books      // nil: none are kept
	cutting atomic.Bool // streams that end now were cut

	pulse  *pulse
	idle   idle
	memory relay.Memory
	relays sync.WaitGroup
}

func newHalf(session *mux.Session, log *slog.Logger) half {
	return half{
		session: session, log: log, pulse: &pulse{session: session},
		leads: leads{to: map[string]Dial{}, joined: map[string]int{}},
	}
}

// serve takes the other half's streams until the session ends.
func (h *half) serve() {
	defer h.leads.end()
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
		h.relays.Go(func() { h.join(ctx, offer) })
	}
}

// join dials what the stream is for and relays.
func (h *half) join(ctx context.Context, offer *mux.Offer) {
	link := offer.Link()
	dial, known := h.leads.enter(link)
	if !known {
		h.log.Debug("link refused", "link", link, "reason", "unknown")
		offer.Refuse(mux.RefuseUnknownLink)
		return
	}
	defer h.leads.leave(link)
	if r, f := h.meet(ctx, offer, dial); r != nil {
		r.Run()
		h.books.end(f)
	}
}

// meet is the stream joined to what it is for; nil if that is not to be had. It has its own
// frame: what join holds, each idle stream does.
func (h *half) meet(ctx context.Context, offer *mux.Offer, dial Dial) (*relay.Relay, *flow) {
	conn, err := dial(ctx)
	if err != nil {
		h.log.Debug("link refused", "link", offer.Link(), "reason", err)
		code := refusal(err)
		h.books.refuse(offer.Link(), code)
		offer.Refuse(code)
		return nil, nil
	}
	f := h.books.begin(h, offer.Link(), offer.ID(), nil)
	r := relay.New(conn, offer.Accept(), relay.Engines)
	r.Memory, r.Whole, r.Flow = &h.memory, h.whole, f
	return r, f
}

// leads are where the links lead that the other half may open, and how many connections of any
// link there are.
type leads struct {
	mu     sync.Mutex
	over   bool // the session is
	to     map[string]Dial
	joined map[string]int
}

func (l *leads) lead(link string, dial Dial) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to[link] = dial
}

func (l *leads) unlead(link string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.to, link)
}

func (l *leads) has(link string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to[link] != nil
}

// enter counts a connection to a link. What is asked for that is no link is not counted.
func (l *leads) enter(link string) (dial Dial, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if dial, known = l.to[link]; known {
		l.joined[link]++
	}
	return dial, known
}

// begin counts a connection of a client of this half, which relays waits for then, unless the session is
// over.
func (l *leads) begin(link string, relays *sync.WaitGroup) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false
	}
	l.joined[link]++
	relays.Add(1)
	return true
}

func (l *leads) leave(link string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.joined[link]--; l.joined[link] == 0 {
		delete(l.joined, link)
	}
}

func (l *leads) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}

func (l *leads) count(link string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.joined[link]
}

func (l *leads) countAll() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, of := range l.joined {
		n += of
	}
	return n
}

// carry brings a client to the other half, whatever it speaks, and returns at its end. prepare may
// be nil.
func (h *half) carry(c *client, link string, prepare func(*relay.Relay) (done func())) {
	defer c.end()
	r, f := h.bring(c, link)
	if r == nil {
		return
	}
	defer h.books.end(f)
	if prepare != nil {
		defer prepare(r)()
	}
	if c.words != nil && dockerapi.IsRead(c.first) {
		defer h.watch(r)()
	}
	r.Run()
}

// bring is a client joined to its stream; nil if it was turned away. It has its own frame, as meet.
func (h *half) bring(c *client, link string) (*relay.Relay, *flow) {
	stream, why := h.openFor(link)
	if why != "" {
		c.turnAway(why)
		return nil, nil
	}
	var f *flow
	if h.books != nil {
		f = h.books.begin(h, link, stream.ID(), &Peer{Call: dockerapi.Call(c.first)})
	}
	r := relay.New(c.conn, stream, relay.Clients)
	r.Memory, r.Whole, r.Flow, r.First = &h.memory, c.whole, f, c.first
	if c.words != nil {
		r.Tell = c.tell
	}
	return r, f
}
