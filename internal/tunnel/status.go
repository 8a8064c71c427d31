package tunnel

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
)

var errNotServing = errors.New("nothing is carried now")

// CountStreams is the number of connections that are carried now.
func (d *Tunnel) CountStreams() int {
	if host := d.host.Load(); host != nil {
		return host.CountStreams()
	}
	return 0
}

// StreamsOf is the number of a link's.
func (d *Tunnel) StreamsOf(link string) int {
	if host := d.host.Load(); host != nil {
		return host.CountStreamsOf(link)
	}
	return 0
}

// DialLink opens a connection of a reverse link, for a question of ours.
func (d *Tunnel) DialLink(link string) (net.Conn, error) {
	if host := d.host.Load(); host != nil {
		return host.Dial(link)
	}
	return nil, errNotServing
}

// TryTarget has the agent try what a reverse link leads to, by a connection that ends at once.
func (d *Tunnel) TryTarget(ctx context.Context, link string) error {
	if host := d.host.Load(); host != nil {
		return host.TryTarget(ctx, link)
	}
	return errNotServing
}

// Ping measures a round trip to the agent. It is an error when none is there, or none
// answers before ctx ends.
func (d *Tunnel) Ping(ctx context.Context) (time.Duration, error) {
	if host := d.host.Load(); host != nil {
		return host.Ping(ctx)
	}
	return 0, errNotServing
}

// Carrier is the way to a distro.
type Carrier struct {
	Since time.Time // zero: there is none now
	Lost  int64     // how many were, since the daemon runs
}

// carriers counts them.
type carriers struct {
	mu  sync.Mutex
	now Carrier
}

func (c *carriers) beginCarrier() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Since = time.Now()
}

func (c *carriers) endCarrier(lost bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Since = time.Time{}
	if lost {
		c.now.Lost++
	}
}

// CurrentCarrier is the one of now.
func (d *Tunnel) CurrentCarrier() Carrier {
	d.carrier.mu.Lock()
	defer d.carrier.mu.Unlock()
	return d.carrier.now
}

// FlowsOf are the connections of a link that are carried now, and who has opened them as far as the
// agent tells before ctx ends.
func (d *Tunnel) FlowsOf(ctx context.Context, link string) []bridge.Flow {
	if host := d.host.Load(); host != nil {
		return host.FlowsOf(ctx, link)
	}
	return nil
}

// TotalsOf are what a link has carried since the daemon runs.
func (d *Tunnel) TotalsOf(link string) bridge.Totals { return d.books.TotalsOf(link) }
