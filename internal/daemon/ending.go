package daemon

import (
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// endOwner has all that this instance is a part of end, as Ctrl-C does.
func (in *instance) endOwner() {
	in.endOwnerDrain()
	in.of.stop()
}

// endOwnerDrain takes back what a drain has given connections.
func (in *instance) endOwnerDrain() {
	if d := in.currentTunnel(); d != nil {
		d.EndDrain()
	}
}

// markDrain notes that a drain begins.
func (in *instance) markDrain() {
	if d := in.currentTunnel(); d != nil {
		cut := d.TotalsOf(in.link.Name).Cut
		in.mu.Lock()
		defer in.mu.Unlock()
		if !in.drains {
			in.drains, in.cut = true, cut
		}
	}
}

// countCutConnections is how many connections of this link were cut since.
func (in *instance) countCutConnections() int64 {
	d := in.currentTunnel()
	if d == nil {
		return 0
	}
	cut := d.TotalsOf(in.link.Name).Cut
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.drains {
		return 0
	}
	return cut - in.cut
}

func (in *instance) currentTunnel() *tunnel.Tunnel {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.daemon
}

// endAllLinks has all links end, as Ctrl-C does.
func (f *daemon) endAllLinks() {
	f.endDrain()
	f.stop()
}

func (f *daemon) endDrain() { f.eachTunnel((*tunnel.Tunnel).EndDrain) }

// drainAllLinks has all links end when their connections have.
func (f *daemon) drainAllLinks(within time.Duration) {
	for _, in := range f.openInstances() {
		in.markDrain()
	}
	f.eachTunnel(func(d *tunnel.Tunnel) { d.DrainWithin(within) })
	f.stop()
}

func (f *daemon) eachTunnel(do func(*tunnel.Tunnel)) {
	for _, c := range f.allServers() {
		if d := c.currentTunnel(); d != nil {
			do(d)
		}
	}
}
