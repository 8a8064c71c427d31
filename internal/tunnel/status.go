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

// Streams is the number of connections that are carried now.
func (d *Tunnel) Streams() int {
	if host := d.host.Load(); host != nil {
		return host.Streams()
	}
	return 0
}

// StreamsOf is the number of a link's.
func (d *Tunnel) StreamsOf(link string) int {
	if host := d.host.Load(); host != nil {
		return host.StreamsOf(link)
	}
	return 0
}

// Dial opens a connection of a reverse link, for a question of ours.
func (d *Tunnel) Dial(link string) (net.Conn, error) {
	if host := d.host.Load(); host != nil {
		return host.Dial(link)
	}
	return nil, errNotServing
}

// Reach has the agent try what a reverse link leads to, by a connection that ends at once.
func (d *Tunnel) Reach(ctx context.Context, link string) error {
	if host := d.host.Load(); host != nil {
		return host.Reach(ctx, link)
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

func (c *carriers) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Since = time.Now()
}

func (c *carriers) end(lost bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Since = time.Time{}
	if lost {
		c.now.Lost++
	}
}

// Carrier is the one of now.
func (d *Tunnel) Carrier() Carrier {
	d.carrier.mu.Lock()
	defer d.carrier.mu.Unlock()
	return d.carrier.now
}

// Flows are the connections of a link that are carried now, and who has opened them as far as the
// agent tells before ctx ends.
func (d *Tunnel) Flows(ctx context.Context, link string) []bridge.Flow {
	if host := d.host.Load(); host != nil {
		return host.Flows(ctx, link)
	}
	return nil
}

// Totals are what a link has carried since the daemon runs.
func (d *Tunnel) Totals(link string) bridge.Totals { return d.books.Totals(link) }
