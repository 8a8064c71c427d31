package daemon

import (
	"context"
	"errors"
	"net"
	"time"
)

var errNotServing = errors.New("nothing is carried now")

// Streams is the number of connections that are carried now.
func (d *Daemon) Streams() int {
	if host := d.host.Load(); host != nil {
		return host.Streams()
	}
	return 0
}

// StreamsOf is the number of a link's.
func (d *Daemon) StreamsOf(link string) int {
	if host := d.host.Load(); host != nil {
		return host.StreamsOf(link)
	}
	return 0
}

// Dial opens a connection of a reverse link, for a question of ours.
func (d *Daemon) Dial(link string) (net.Conn, error) {
	if host := d.host.Load(); host != nil {
		return host.Dial(link)
	}
	return nil, errNotServing
}

// Ping measures a round trip to the agent. It is an error when none is there, or none
// answers before ctx ends.
func (d *Daemon) Ping(ctx context.Context) (time.Duration, error) {
	if host := d.host.Load(); host != nil {
		return host.Ping(ctx)
	}
	return 0, errNotServing
}
