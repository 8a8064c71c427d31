package control

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// maxConns are served at once, beside those that wait for something. One more takes the place of the
	// oldest, rather than wait: whoever says nothing or reads nothing keeps nobody out.
	maxConns = 128
	// maxWaits are the requests of one kind that may wait for what they have asked for.
	maxWaits = 128
	// writeTime bounds each write: nobody may be there to take it.
	writeTime = 5 * time.Second
)

// conns accepts connections, and knows what each of them is at.
type conns struct {
	net.Listener

	mu   sync.Mutex
	open []*conn // oldest first
}

// activity is what a connection is at, in the order in which it has to make room.
type activity int

const (
	reading activity = iota // a request is to come, or an answer to be taken
	answering
	waiting // for what was asked for: bounded elsewhere
)

type conn struct {
	net.Conn
	of *conns
	at activity // with the lock of conns

	deadlines sync.Mutex
	until     time.Time // a write ends; zero: writeTime after it has begun
}

// Accept takes whoever comes.
func (l *conns) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: accepted, of: l}
	if crowded := l.addConn(c); crowded != nil {
		_ = crowded.Conn.Close() // its server then closes it, too
	}
	return c, nil
}

// addConn gives the one that has to make room, if one has.
func (l *conns) addConn(c *conn) (crowded *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	served := 0
	for _, other := range l.open {
		if other.at == waiting {
			continue
		}
		served++
		if crowded == nil || other.at < crowded.at {
			crowded = other
		}
	}
	l.open = append(l.open, c)
	if served < maxConns {
		return nil
	}
	l.dropConn(crowded)
	return crowded
}

// dropConn is called with the lock.
func (l *conns) dropConn(c *conn) {
	for i, other := range l.open {
		if other == c {
			l.open = append(l.open[:i], l.open[i+1:]...)
			return
		}
	}
}

// Close ends the connection, which no longer counts.
func (c *conn) Close() error {
	c.of.mu.Lock()
	c.of.dropConn(c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// Write gives each piece writeTime, or what is left until the deadline that was set.
func (c *conn) Write(b []byte) (int, error) {
	c.deadlines.Lock()
	until := time.Now().Add(writeTime)
	if !c.until.IsZero() && c.until.Before(until) {
		until = c.until
	}
	err := c.Conn.SetWriteDeadline(until)
	c.deadlines.Unlock()
	if err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// SetWriteDeadline shortens what writes get.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	c.until = t
	return c.Conn.SetWriteDeadline(t)
}

type connKey struct{}

// connContext has a request know its connection.
func connContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// setActivity notes what the connection of a request is at.
func setActivity(r *http.Request, at activity) {
	c, ok := r.Context().Value(connKey{}).(*conn)
	if !ok {
		return
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.at = at
}

// observeRequests has its connection known to be answering as long as the handler runs.
func observeRequests(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setActivity(r, answering)
		defer setActivity(r, reading)
		h.ServeHTTP(w, r)
	})
}
