package bridge

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
)

// Flow is a connection that is carried, as it is at the moment.
type Flow struct {
	ID    uint32
	Link  string
	Since time.Time
	Sent  int64 // bytes of the client's
	Got   int64 // bytes that the client has got
	Peer  Peer  // zero if the agent did not tell; what it told before, if it does not now

	flow *connStats
}

// Totals are what a link has carried since its Books began.
type Totals struct {
	Connections int64            // that were carried, those of now among them
	Refused     map[string]int64 // by reason, such as WhyNotFound
	Cut         int64            // that ended with their carrier, or the bridge
	Sent, Got   int64            // bytes, of the clients and to them
}

// Stats are kept of what links carry, by the host. They outlive sessions. The zero value is ready; in
// nil nothing is written.
type Stats struct {
	mu    sync.Mutex
	flows map[*connStats]struct{}
	past  map[string]*Totals // by link; of the bytes, those of connections that have ended
}

// connStats are of one connection. Nil counts nothing.
type connStats struct {
	of        *peer
	link      string
	id        uint32
	since     time.Time
	own       bool // its client is on our side, and the agent is not asked
	sent, got atomic.Int64
	peer      atomic.Pointer[Peer] // as it was last told
}

// Add counts bytes. It is on the way of everything that is carried.
func (f *connStats) Add(sent bool, n int) {
	switch {
	case f == nil:
	case sent:
		f.sent.Add(int64(n))
	default:
		f.got.Add(int64(n))
	}
}

func (f *connStats) snapshotFlow() Flow {
	now := Flow{ID: f.id, Link: f.link, Since: f.since, Sent: f.sent.Load(), Got: f.got.Load(), flow: f}
	if p := f.peer.Load(); p != nil {
		now.Peer = *p
	}
	return now
}

// beginFlow notes a connection. own is its client, if that is on our side.
func (b *Stats) beginFlow(of *peer, link string, id uint32, own *Peer) *connStats {
	if b == nil {
		return nil
	}
	f := &connStats{of: of, link: link, id: id, since: time.Now(), own: own != nil}
	f.peer.Store(own)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.flows == nil {
		b.flows = map[*connStats]struct{}{}
	}
	b.flows[f] = struct{}{}
	b.totalsLocked(link).Connections++
	return f
}

func (b *Stats) endFlow(f *connStats) {
	if b == nil {
		return
	}
	cut := f.of.session.Err() != nil && !f.of.session.PeerLeft() || f.of.cutting.Load()
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.flows, f)
	t := b.totalsLocked(f.link)
	t.Sent += f.sent.Load()
	t.Got += f.got.Load()
	if cut {
		t.Cut++
	}
}

func (b *Stats) countRefusedStream(link string, code mux.RefuseCode) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.totalsLocked(link).Refused[reasonOfRefusal(code)]++
}

// totalsLocked is called with the lock.
func (b *Stats) totalsLocked(link string) *Totals {
	if b.past == nil {
		b.past = map[string]*Totals{}
	}
	if b.past[link] == nil {
		b.past[link] = &Totals{Refused: map[string]int64{}}
	}
	return b.past[link]
}

// TotalsOf are a link's.
func (b *Stats) TotalsOf(link string) Totals {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := *b.totalsLocked(link)
	t.Refused = maps.Clone(t.Refused)
	for f := range b.flows {
		if f.link == link {
			now := f.snapshotFlow()
			t.Sent += now.Sent
			t.Got += now.Got
		}
	}
	return t
}

// CountIn counts the connections of this session in b. It is called before a link is listened for.
func (h *Host) CountIn(b *Stats) { h.stats = b }

// FlowsOf are the connections of a link, the oldest first. The agent is asked who has connected;
// until ctx ends, and for 10 s at the most.
func (h *Host) FlowsOf(ctx context.Context, link string) []Flow {
	flows := h.stats.sessionFlows(&h.peer, link)
	missing := make(map[uint32]*Flow, len(flows))
	for i := range flows {
		if !flows[i].flow.own {
			missing[flows[i].ID] = &flows[i]
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	for after := uint32(0); len(missing) > 0; {
		a, err := h.askAgent(ctx, request{Peers: &page{Link: link, After: after}})
		if err != nil || a.Peers == nil || len(a.Peers.Known) == 0 {
			break
		}
		for _, p := range a.Peers.Known {
			if f := missing[p.ID]; f != nil {
				told := p.Peer.madePrintable()
				f.Peer = told
				f.flow.peer.Store(&told)
				delete(missing, p.ID)
			}
		}
		last := a.Peers.Known[len(a.Peers.Known)-1].ID
		if last <= after || !a.Peers.More {
			break
		}
		after = last
	}
	return flows
}

// sessionFlows are the connections of one session.
func (b *Stats) sessionFlows(h *peer, link string) (flows []Flow) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for f := range b.flows {
		if f.of == h && f.link == link {
			flows = append(flows, f.snapshotFlow())
		}
	}
	slices.SortFunc(flows, func(a, b Flow) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	return flows
}
