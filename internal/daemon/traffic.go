package daemon

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
)

// linkTraffic is what this link carries: the agent is asked.
func (in *instance) linkTraffic(ctx context.Context) control.LinkTraffic {
	in.mu.Lock()
	s, d, place := in.status, in.daemon, in.engine
	in.mu.Unlock()
	t := control.LinkTraffic{
		PID: s.PID, Link: s.Link, State: s.State,
		Totals: control.Totals{Refused: map[string]int64{}}, Streams: []control.Stream{},
	}
	if d == nil {
		return t
	}
	ctx, cancel := context.WithTimeout(ctx, askingTime)
	defer cancel()
	var asking sync.WaitGroup
	asking.Go(func() {
		if trip, err := d.Ping(ctx); err == nil {
			t.Carrier.RoundTrip = max(trip, time.Microsecond).Seconds() // as in a status
		}
	})
	for _, f := range d.FlowsOf(ctx, in.link.Name) {
		t.Streams = append(t.Streams, streamOf(f))
	}
	asking.Wait()
	t.Link.Engine = place()
	carrier := d.CurrentCarrier()
	t.Carrier.Since, t.Carrier.Lost = carrier.Since, carrier.Lost
	all := d.TotalsOf(in.link.Name) // last: no stream has more than all together
	t.Totals = control.Totals{Connections: all.Connections, Sent: all.Sent, Received: all.Got, Refused: all.Refused, Cut: all.Cut}
	return t
}

func streamOf(f bridge.Flow) control.Stream {
	s := control.Stream{ID: f.ID, Since: f.Since, Sent: f.Sent, Received: f.Got}
	if f.Peer != (bridge.Peer{}) {
		s.Peer = &control.Peer{UID: f.Peer.UID, PID: f.Peer.PID, Program: f.Peer.Program, Call: f.Peer.Call}
	}
	return s
}

// ownTraffic is the traffic of an instance.
func (in *instance) ownTraffic(ctx context.Context) control.Traffic {
	return control.Traffic{Version: in.of.version, At: time.Now(), Links: []control.LinkTraffic{in.linkTraffic(ctx)}}
}

// allTraffic is that of all links that have their place.
func (f *daemon) allTraffic(ctx context.Context) control.Traffic {
	all := f.openInstances()
	t := control.Traffic{Version: f.o.Version, At: time.Now(), Links: make([]control.LinkTraffic, len(all))}
	var asking sync.WaitGroup
	for i, in := range all {
		asking.Go(func() { t.Links[i] = in.linkTraffic(ctx) })
	}
	asking.Wait()
	slices.SortFunc(t.Links, func(a, b control.LinkTraffic) int {
		return cmp.Or(strings.Compare(a.Link.Distro, b.Link.Distro), strings.Compare(a.Link.Name, b.Link.Name))
	})
	return t
}

func (f *daemon) openInstances() (all []*instance) {
	for _, c := range f.allServers() {
		all = append(all, c.openInstances()...)
	}
	return all
}

func (c *distroServer) openInstances() (all []*instance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.posts {
		if p.in != nil {
			all = append(all, p.in)
		}
	}
	return all
}
