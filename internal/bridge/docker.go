package bridge

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockerapi"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
)

// KindDocker is the kind of link whose clients speak HTTP to a Docker engine.
// They speak first, and can be told what is wrong.
const KindDocker = "docker"

// Why there is no answer: the keys of Listen.Answers. The first is the
// agent's own finding, the others are the host's reasons to refuse.
const (
	WhyFrozen   = "frozen"
	WhyUnknown  = "unknown-link"
	WhyLimit    = "too-many"
	WhyStopping = "stopping"
	WhyNotFound = "not-found"
	WhyDenied   = "denied"
	WhyTimeout  = "timeout"
	WhyFailed   = "failed"
)

const (
	// firstWatch is when a read that has no answer yet is looked at; with the
	// rest of holdTime the client of a frozen carrier waits no longer than one
	// that was not let on it.
	firstWatch = fresh
	// nextWatch is how often it is looked at again while the engine thinks: its
	// client is told of a freeze 3 s later at the most.
	nextWatch = time.Second
	// tellTime is what a client gets to take its answer, while what it still
	// sends is thrown away.
	tellTime = 5 * time.Second
	// maxFirst is what is read of a client before its stream is opened.
	maxFirst = 4 << 10
	// maxIdle bounds the connections that wait for their clients: what such a one
	// holds is a descriptor and 8 KiB. As many may carry something.
	maxIdle = 4096
)

func whyRefused(code mux.RefuseCode) string {
	switch code {
	case mux.RefuseUnknownLink:
		return WhyUnknown
	case mux.RefuseLimit:
		return WhyLimit
	case mux.RefuseGoingAway:
		return WhyStopping
	case mux.RefuseNotFound:
		return WhyNotFound
	case mux.RefuseDenied:
		return WhyDenied
	case mux.RefuseTimeout:
		return WhyTimeout
	}
	return WhyFailed
}

// client is one of a docker link, from its first bytes on.
type client struct {
	conn    net.Conn
	first   []byte            // what it began with
	answers map[string]string // what to say, by reason
	idle    *idle
	refusal []byte // the answer to a request that was refused
}

// tell answers the client's request with the reason why its engine does not,
// and leaves it tellTime to read that. What comes behind must still be taken,
// since a client that can't write may not get to reading.
func (c *client) tell(why string) {
	message := c.answers[why]
	if message == "" {
		message = "the Docker engine of Windows can't be reached: " + why
	}
	answer := dockerapi.Unavailable(c.first, message)
	if why == WhyLinuxPath {
		answer = c.refusal
	}
	_ = c.conn.SetDeadline(time.Now().Add(tellTime))
	// Whoever is gone needs no answer.
	_, _ = c.conn.Write(answer)
	if end, ok := c.conn.(interface{ CloseWrite() error }); ok {
		_ = end.CloseWrite()
	}
	if !c.idle.add(c.conn) {
		_ = c.conn.Close()
	}
}

// drain throws away what a client that was told still sends.
func drain(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// serveDocker carries a client of a docker link. Its stream is opened when it
// has said something: the engine then hears both at once, and a client that
// says nothing costs the other half nothing.
func (a *agent) serveDocker(conn net.Conn, l Listen) {
	defer conn.Close()
	defer a.idle.remove(conn)
	j := a.meet(conn, l)
	if j == nil {
		return
	}
	if j.requests != nil {
		defer j.requests.Close()
	}
	if dockerapi.IsRead(j.first) {
		defer a.watch(j)()
	}
	j.run()
}

// meet is a client joined to its stream, once it has said something; nil if it asks nothing, or is
// answered. It is apart from serveDocker since what that holds, each idle stream does.
func (a *agent) meet(conn net.Conn, l Listen) *joint {
	first := make([]byte, maxFirst)
	n := a.await(conn, first)
	if n == 0 {
		return nil // it asked nothing
	}
	c := &client{conn: conn, first: bytes.Clone(first[:n]), answers: l.Answers, idle: &a.idle}
	stream, why := a.openFor(l.Link)
	if why != "" {
		c.tell(why)
		drain(conn)
		return nil
	}
	j := &joint{conn: conn, stream: stream, side: clients, memory: &a.memory, first: c.first, tell: c.tell}
	if l.Paths == PathsAuto {
		j.requests = a.translate(j, c, l)
	}
	return j
}

// await reads what a client begins with. It gets nothing when the agent leaves,
// and when too many wait already.
func (a *agent) await(conn net.Conn, b []byte) int {
	if !a.idle.add(conn) {
		return 0
	}
	defer a.idle.remove(conn)
	n, _ := conn.Read(b) // an end or an error will come again
	return n
}

// idle are connections that wait for their clients and for nothing else. They
// are closed when the agent leaves.
type idle struct {
	mu    sync.Mutex
	over  bool
	conns map[net.Conn]struct{}
}

func (i *idle) add(conn net.Conn) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.over || len(i.conns) >= maxIdle {
		return false
	}
	if i.conns == nil {
		i.conns = make(map[net.Conn]struct{})
	}
	i.conns[conn] = struct{}{}
	return true
}

func (i *idle) remove(conn net.Conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.conns, conn)
}

func (i *idle) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.over = true
	for conn := range i.conns {
		_ = conn.Close()
	}
}

// openFor opens a stream, or says why a client can't have one. While the carrier
// is frozen nothing new is put on it.
func (a *agent) openFor(link string) (stream *mux.Stream, why string) {
	if !a.pulse.alive() {
		return nil, WhyFrozen
	}
	stream, err := a.session.Open(link)
	switch {
	case err == nil:
		return stream, ""
	case errors.Is(err, mux.ErrTooManyStreams):
		return nil, WhyLimit
	case errors.Is(err, mux.ErrGoingAway):
		return nil, WhyStopping
	}
	a.log.Debug("open stream", "link", link, "error", err)
	return nil, WhyFailed
}

// watch gives a read up when the carrier freezes before any answer has come and before its
// client has said more. A slow engine is waited for.
func (a *agent) watch(j *joint) (stop func()) {
	w := &watch{pulse: a.pulse, joint: j}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(firstWatch, w.look)
	return w.stop
}

type watch struct {
	pulse *pulse
	joint *joint

	mu      sync.Mutex // held while it looks
	timer   *time.Timer
	stopped bool
}

func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.stopped || w.joint.kept():
	case w.pulse.alive():
		w.timer.Reset(nextWatch)
	default:
		w.joint.giveUp()
	}
}

// stop returns when no look is under way any more: within holdTime, and at
// once when the session has died.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.timer.Stop()
}
