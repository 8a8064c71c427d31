package daemon

import (
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// end has all that this instance is a part of end, as Ctrl-C does.
func (in *instance) end() {
	in.hurry()
	in.of.stop()
}

// hurry takes back what a drain has given connections.
func (in *instance) hurry() {
	if d := in.serving(); d != nil {
		d.Hurry()
	}
}

// mark notes that a drain begins.
func (in *instance) mark() {
	if d := in.serving(); d != nil {
		cut := d.Totals(in.link.Name).Cut
		in.mu.Lock()
		defer in.mu.Unlock()
		if !in.drains {
			in.drains, in.cut = true, cut
		}
	}
}

// drained is how many connections of this link were cut since.
func (in *instance) drained() int64 {
	d := in.serving()
	if d == nil {
		return 0
	}
	cut := d.Totals(in.link.Name).Cut
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.drains {
		return 0
	}
	return cut - in.cut
}

func (in *instance) serving() *tunnel.Tunnel {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.daemon
}

// end has all links end, as Ctrl-C does.
func (f *fleet) end() {
	f.hurry()
	f.stop()
}

func (f *fleet) hurry() { f.each((*tunnel.Tunnel).Hurry) }

// drain has all links end when their connections have.
func (f *fleet) drain(within time.Duration) {
	for _, in := range f.instances() {
		in.mark()
	}
	f.each(func(d *tunnel.Tunnel) { d.Drain(within) })
	f.stop()
}

func (f *fleet) each(do func(*tunnel.Tunnel)) {
	for _, c := range f.allCrews() {
		if d := c.serving(); d != nil {
			do(d)
		}
	}
}
