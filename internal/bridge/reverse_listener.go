package bridge

import (
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// Entry says what comes in at a Door.
type Entry struct {
	Link string
	Kind string // KindDocker, or empty for any byte stream
	// Words are what a client of a docker link is told: WhyFrozen and so on, and WhyDown.
	Words func(why string) string
	Log   *slog.Logger
}

// ReverseListener is where clients of a reverse link come in, at the host. It is open whether or not there is a
// session: a client that finds none in holdTime is told, or its connection closed.
type ReverseListener struct {
	entry    Entry
	listener net.Listener
	idle     idle
	closing  chan struct{}
	close    sync.Once
	entering sync.WaitGroup // who accepts, and clients that no session has yet

	mu     sync.Mutex
	host   *Host         // nil: there is no session
	change chan struct{} // closed, and replaced, with each change of host
	inside map[net.Conn]struct{}
}

// OpenReverseListener lets clients in that come to the listener, which it owns from here on.
func OpenReverseListener(l net.Listener, e Entry) *ReverseListener {
	d := &ReverseListener{entry: e, listener: l, closing: make(chan struct{}), change: make(chan struct{}), inside: map[net.Conn]struct{}{}}
	d.entering.Go(d.acceptClients)
	return d
}

// RouteThrough has new clients go through a session, whose agent knows where to; nil: there is none.
func (d *ReverseListener) RouteThrough(h *Host) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.host == h {
		return
	}
	d.host = h
	close(d.change)
	d.change = make(chan struct{})
}

// Close ends the listening. Connections that a session carries go on, others are closed.
func (d *ReverseListener) Close() error {
	err := d.listener.Close()
	d.close.Do(func() { close(d.closing) })
	d.idle.closeWaitingClients()
	d.entering.Wait()
	return err
}

// CutAllConnections ends all connections that have come through it: a pipe can't be listened at anew
// while one of them lives.
func (d *ReverseListener) CutAllConnections() {
	d.mu.Lock()
	inside := slices.Collect(maps.Keys(d.inside))
	d.mu.Unlock()
	for _, conn := range inside {
		_ = conn.Close() // it may be closed
	}
}

func (d *ReverseListener) trackClient(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside[conn] = struct{}{}
}

func (d *ReverseListener) untrackClient(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.inside, conn)
}

func (d *ReverseListener) acceptClients() {
	failed := func(err error) { d.entry.Log.Warn("accept", "link", d.entry.Link, "error", err) }
	acceptUntilClosed(d.listener, failed, d.closing, func(conn net.Conn) {
		d.entering.Go(func() { d.admitClient(conn) })
	})
}

// admitClient brings a client to a session, or turns it away.
func (d *ReverseListener) admitClient(conn net.Conn) {
	d.trackClient(conn)
	c := &client{conn: conn, whole: true, left: d.untrackClient}
	if d.entry.Kind == KindDocker {
		if c.first = d.idle.awaitFirstBytes(conn); c.first == nil {
			c.closeAndForget()
			return // it asked nothing
		}
		c.words, c.idle = d.entry.Words, &d.idle
	}
	late := time.NewTimer(holdTime)
	defer late.Stop()
	for {
		host, change := d.currentHost()
		if host != nil && host.acceptReverseClient(c, d.entry.Link) {
			return
		}
		select {
		case <-change:
			continue
		case <-late.C:
		case <-d.closing:
		}
		c.refuseWithReason(WhyDown)
		c.closeAndForget()
		return
	}
}

func (d *ReverseListener) currentHost() (*Host, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.host, d.change
}

// acceptUntilClosed takes every connection until the listener is closed.
func acceptUntilClosed(l net.Listener, failed func(error), over <-chan struct{}, serve func(net.Conn)) {
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			failed(err)
			select {
			case <-time.After(acceptPause):
			case <-over:
				return
			}
			continue
		}
		serve(conn)
	}
}
