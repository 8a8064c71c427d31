package bridge

import (
	"bytes"
	"container/list"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockerapi"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/relay"
)

// KindDocker is the kind of link whose clients speak HTTP to a Docker engine.
// They speak first, and can be told what is wrong.
const KindDocker = "docker"

// Why there is no answer: the keys of Listen.Answers. The first is the
// finding of the clients' own half, the others are the other half's reasons to refuse.
// WhyDown says that there is no session: it has just been lost or, on a reverse link, is yet to come.
const (
	WhyDown     = "down"
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

func reasonOfRefusal(code mux.RefuseCode) string {
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

// client is a connection to be brought to the other half.
type client struct {
	conn  net.Conn
	whole bool           // see relay.Relay
	left  func(net.Conn) // is told of its end; nil: nobody is

	// Of a docker link, from its first bytes on; else nil.
	first   []byte                  // what it began with
	words   func(why string) string // what to say, by reason
	idle    *idle
	refusal []byte // the answer to a request that was refused
}

// refuseWithReason ends a client that gets no stream: one that can be told is told why.
func (c *client) refuseWithReason(why string) {
	if c.words == nil {
		_ = c.conn.Close()
		return
	}
	var taking sync.WaitGroup
	taking.Go(func() { relay.DiscardInput(c.conn) }) // a pipe's client may not read before that
	c.tellUnavailable(why)
	taking.Wait()
}

// closeAndForget lets go of the connection.
func (c *client) closeAndForget() {
	_ = c.conn.Close() // it may be closed
	if c.idle != nil {
		c.idle.removeWaitingClient(c.conn)
	}
	if c.left != nil {
		c.left(c.conn)
	}
}

// tellReason answers the client's request with the reason why its engine does not.
func (c *client) tellReason(reason error) {
	var refusal *mux.RefusedError
	switch {
	case reason == relay.ErrRefused:
		c.writeAnswer(c.refusal)
	case errors.As(reason, &refusal):
		c.tellUnavailable(reasonOfRefusal(refusal.Code))
	default:
		c.tellUnavailable(WhyFrozen)
	}
}

func (c *client) tellUnavailable(why string) {
	c.writeAnswer(dockerapi.UnavailableAnswer(c.first, c.messageForReason(why)))
}

// writeAnswer gives the client an answer of ours and leaves it tellTime to read that. What comes behind must still be
// taken, since a client that can't write may not get to reading.
func (c *client) writeAnswer(b []byte) {
	_ = c.conn.SetDeadline(time.Now().Add(tellTime))
	// Whoever is gone needs no answer.
	_, _ = c.conn.Write(b)
	if !c.idle.addWaitingClient(c.conn) {
		_ = c.conn.Close()
		return
	}
	if end, ok := c.conn.(interface{ CloseWrite() error }); ok {
		late := time.AfterFunc(tellTime, func() { _ = c.conn.Close() }) // go-winio's waits without a deadline
		_ = end.CloseWrite()
		late.Stop()
	}
	if c.whole { // all was read, and there is no other end that everybody understands
		_ = c.conn.Close()
	}
}

// messageForReason is what the client is told of a reason.
func (c *client) messageForReason(why string) string {
	if words := c.words(why); words != "" {
		return words
	}
	return "the Docker engine can't be reached: " + why
}

// serveDocker carries a client of a docker link. Its stream is opened when it
// has said something: the engine then hears both at once, and a client that
// says nothing costs the other half nothing.
func (a *agent) serveDocker(conn net.Conn, l Listen) {
	first := a.idle.awaitFirstBytes(conn)
	if first == nil {
		_ = conn.Close()
		return // it asked nothing
	}
	card := newPeerInfo(conn, l.Link)
	card.noteCalls(first)
	c := &client{conn: conn, first: first, words: func(why string) string { return l.Answers[why] }, idle: &a.idle}
	a.forwardClient(c, l.Link, func(r *relay.Relay) (done func()) {
		remove := a.cards.addCard(r.Stream.ID(), card)
		if l.Paths != PathsAuto {
			return remove
		}
		r.Requests = a.newTranslation(r, c, l)
		r.Requests.Seen = card.noteCalls
		return func() {
			r.Requests.ForgetHeld()
			remove()
		}
	})
}

// idle are connections that wait for their clients and for nothing else. They
// are closed when the agent leaves.
type idle struct {
	mu     sync.Mutex
	over   bool
	oldest list.List                  // of net.Conn
	places map[net.Conn]*list.Element // in it
}

// addWaitingClient notes one. When there are too many the one that has waited longest is closed, so that clients who say
// nothing keep nobody out who does.
func (i *idle) addWaitingClient(conn net.Conn) bool {
	displaced, added := i.recordWaitingClient(conn)
	if displaced != nil {
		_ = displaced.Close() // it waits for its reader
	}
	return added
}

func (i *idle) recordWaitingClient(conn net.Conn) (displaced net.Conn, added bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.over {
		return nil, false
	}
	if first := i.oldest.Front(); len(i.places) >= maxIdle {
		displaced = i.oldest.Remove(first).(net.Conn)
		delete(i.places, displaced)
	}
	if i.places == nil {
		i.places = make(map[net.Conn]*list.Element)
	}
	i.places[conn] = i.oldest.PushBack(conn)
	return displaced, true
}

// awaitFirstBytes reads what a client begins with. It gets nothing when this half leaves.
func (i *idle) awaitFirstBytes(conn net.Conn) []byte {
	if !i.addWaitingClient(conn) {
		return nil
	}
	defer i.removeWaitingClient(conn)
	b := make([]byte, maxFirst)
	n, _ := conn.Read(b) // an end or an error will come again
	if n == 0 {
		return nil
	}
	return bytes.Clone(b[:n])
}

func (i *idle) removeWaitingClient(conn net.Conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if place := i.places[conn]; place != nil {
		i.oldest.Remove(place)
		delete(i.places, conn)
	}
}

func (i *idle) closeWaitingClients() {
	i.mu.Lock()
	i.over = true
	conns := slices.Collect(maps.Keys(i.places))
	i.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close() // it waits for its reader, which removes it
	}
}

// openStream opens a stream, or says why a client can't have one. While the carrier
// is frozen nothing new is put on it.
func (h *peer) openStream(link string) (stream *mux.Stream, why string) {
	if !h.liveness.isAlive() {
		return nil, WhyFrozen
	}
	stream, err := h.session.Open(link)
	switch {
	case err == nil:
		return stream, ""
	case errors.Is(err, mux.ErrTooManyStreams):
		return nil, WhyLimit
	case errors.Is(err, mux.ErrGoingAway):
		return nil, WhyStopping
	}
	if lost := (*mux.LostError)(nil); errors.As(err, &lost) {
		return nil, WhyDown
	}
	h.log.Debug("open stream", "link", link, "error", err)
	return nil, WhyFailed
}

// watchForFreeze gives a read up when the carrier freezes before any answer has come and before its
// client has said more. A slow engine is waited for.
func (h *peer) watchForFreeze(r *relay.Relay) (stop func()) {
	w := &watch{liveness: h.liveness, relay: r}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(firstWatch, w.checkCarrierLiveness)
	return w.stopAndWait
}

type watch struct {
	liveness *liveness
	relay    *relay.Relay

	looking sync.WaitGroup

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

// checkCarrierLiveness waits for an answer, so it holds no lock.
func (w *watch) checkCarrierLiveness() {
	if !w.beginCheck() {
		return
	}
	defer w.looking.Done()
	switch {
	case w.relay.IsKept():
	case w.liveness.isAlive():
		w.scheduleNextCheck()
	default:
		w.relay.GiveUp()
	}
}

// beginCheck tells whether to look at all, which stop waits for then.
func (w *watch) beginCheck() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.looking.Add(1)
	}
	return !w.stopped
}

func (w *watch) scheduleNextCheck() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.timer.Reset(nextWatch)
	}
}

// stopAndWait returns when no look is under way any more: within holdTime, and at
// once when the session has died.
func (w *watch) stopAndWait() {
	w.mu.Lock()
	w.stopped = true
	w.timer.Stop()
	w.mu.Unlock()
	w.looking.Wait()
}
