package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockerapi"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/relay"
)

// acceptPause is how long accepting rests after an error, which is as a rule
// a lack of file descriptors: connections wait in the socket's backlog.
const acceptPause = 100 * time.Millisecond

// maxWarnings is how many wait for a carrier that stands still. Others are in the agent's own log alone.
const maxWarnings = 16

// Distro is what an agent needs of the system it runs in. Errors may be
// *AgentError to say what kind they are of.
type Distro struct {
	// Open makes the socket that a Listen asks for.
	Open func(Listen) (net.Listener, Listening, error)
	// Users counts the programs that Windows has started here, but for us.
	Users func() (int, error)
	// Self tells this agent's process from all others.
	Self func() (Agent, error)
	// Drives tells which directories here are Windows' own.
	Drives func() (paths.Drives, error)
	// Dial connects to a socket that the host has named.
	Dial func(ctx context.Context, socket string) (net.Conn, error)
}

// agent is the Linux half of a session.
type agent struct {
	peer
	distro Distro
	held   dockerapi.Held
	cards  peerInfos

	warnings chan warning   // that the host is to be told
	clients  sync.WaitGroup // who accepts them, and who serves them

	mu        sync.Mutex
	leaving   bool
	listeners map[string]net.Listener // by link
}

// RunAgent is the agent's life: it greets the host at the other end of the
// carrier, listens as asked and relays, until the host says goodbye (nil) or
// the carrier or ctx ends. Its sockets are gone when it returns.
func RunAgent(ctx context.Context, carrier io.ReadWriteCloser, id BuildID, distro Distro, log *slog.Logger) error {
	if _, err := carrier.Write(appendHello(nil, id)); err != nil {
		return errors.Join(fmt.Errorf("greet host: %w", err), carrier.Close())
	}
	if err := readHello(ctx, carrier, id); err != nil {
		return errors.Join(fmt.Errorf("greet host: %w", err), carrier.Close())
	}
	a := &agent{peer: newPeer(mux.New(carrier, mux.Agent), log), distro: distro, warnings: make(chan warning, maxWarnings), listeners: map[string]net.Listener{}}
	a.whole, a.control = true, a.answerRequests
	a.relays.Go(a.acceptIncomingStreams)
	a.relays.Go(a.forwardWarnings)
	a.relays.Go(func() { boundFailingCarrier(a.session) })
	err := a.serveUntilEnd(ctx)
	a.removeSockets()
	err = errors.Join(err, a.session.Close())
	a.clients.Wait()
	a.relays.Wait()
	a.liveness.asking.Wait()
	return err
}

// serveUntilEnd waits for the end of the session and makes it a good one if the host
// said goodbye.
func (a *agent) serveUntilEnd(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-a.session.Done():
		return a.session.Err()
	case <-a.session.PeerLeaving():
	}
	a.removeSockets()
	if err := a.session.Drain(ctx); err != nil {
		return err
	}
	a.awaitOpenClients(ctx)
	// The host writes nothing after this answer. Were we gone before its last
	// frame, wsl.exe's relay would drop the end of our output (init.cpp).
	_, err := a.session.Ping(ctx)
	return err
}

// awaitOpenClients waits until nothing is done for a client any more, so that an agent that says that it leaves does.
// The host's patience ends it.
func (a *agent) awaitOpenClients(ctx context.Context) {
	over := make(chan struct{})
	a.relays.Go(func() {
		a.clients.Wait()
		close(over)
	})
	select {
	case <-over:
	case <-a.session.Done():
	case <-ctx.Done():
	}
}

// removeSockets takes the sockets away, and sends clients home that have asked nothing.
func (a *agent) removeSockets() {
	a.idle.closeWaitingClients()
	a.mu.Lock()
	a.leaving = true
	listeners := a.listeners
	a.listeners = nil // none is added any more
	a.mu.Unlock()
	for _, l := range listeners {
		if err := l.Close(); err != nil {
			a.log.Warn("close socket", "error", err)
		}
	}
}

// stopListeningFor removes a link's socket. Its connections go on.
func (a *agent) stopListeningFor(link string) error {
	a.mu.Lock()
	l := a.listeners[link]
	delete(a.listeners, link)
	a.mu.Unlock()
	if l == nil {
		return nil
	}
	return l.Close() // which waits for its watcher
}

func (a *agent) answerRequests(stream *mux.Stream) {
	defer stream.Close()
	m := newMessages(stream)
	for {
		var r request
		if err := m.receiveMessage(&r); err != nil {
			return
		}
		if err := m.sendMessage(a.handleRequest(r)); err != nil {
			return
		}
	}
}

func (a *agent) handleRequest(r request) answer {
	switch {
	case r.Unlisten != nil:
		if err := a.stopListeningFor(r.Unlisten.Link); err != nil {
			return failedAnswer(err)
		}
		return answer{Unlistened: &struct{}{}}
	case r.Users != nil:
		n, err := a.distro.Users()
		if err != nil {
			return failedAnswer(err)
		}
		return answer{Users: &n}
	case r.Lead != nil:
		return a.leadToTarget(*r.Lead)
	case r.Unlead != nil:
		a.routes.removeRoute(r.Unlead.Link)
		return answer{Unled: &struct{}{}}
	case r.Reach != nil:
		return a.tryLinkTarget(r.Reach.Link)
	case r.Peers != nil:
		return answer{Peers: a.cards.peersAfter(*r.Peers)}
	case r.Listen == nil:
		return failedAnswer(&AgentError{KindInvalid, "the request asks for nothing"})
	}
	return a.startListeningFor(*r.Listen)
}

func (a *agent) startListeningFor(l Listen) answer {
	listener, where, err := a.distro.Open(l)
	if err != nil {
		return failedAnswer(err)
	}
	if err := a.acceptClientsOf(listener, l); err != nil {
		return failedAnswer(errors.Join(err, listener.Close()))
	}
	return answer{Listening: &where}
}

// acceptClientsOf has a link's clients accepted, unless there can't be any.
func (a *agent) acceptClientsOf(listener net.Listener, l Listen) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.leaving {
		return errors.New("the bridge is stopping")
	}
	if a.listeners[l.Link] != nil {
		return &AgentError{KindInvalid, "the link is listened for already"}
	}
	a.listeners[l.Link] = listener
	a.clients.Go(func() { a.acceptClients(listener, l) })
	return nil
}

// leadToTarget has streams that the host opens for a link lead to a socket. Only what the host says here
// is ever dialled.
func (a *agent) leadToTarget(l AgentRoute) answer {
	if l.Link == "" || l.Socket == "" {
		return failedAnswer(&AgentError{KindInvalid, "the link leads nowhere"})
	}
	self, err := a.distro.Self()
	if err != nil {
		return failedAnswer(err)
	}
	a.routes.addRoute(l.Link, func(ctx context.Context) (net.Conn, error) { return a.distro.Dial(ctx, l.Socket) })
	return answer{Leading: &Leading{self}}
}

// tryLinkTarget tries what a link leads to, by a connection that ends at once.
func (a *agent) tryLinkTarget(link string) answer {
	dial, known := a.routes.enterIncomingStream(link)
	if !known {
		return failedAnswer(&AgentError{KindInvalid, "there is no such link"})
	}
	defer a.routes.leaveRoute(link)
	conn, err := dial(context.Background()) // which is bounded
	if err == nil {
		err = conn.Close()
	}
	if err != nil {
		return failedAnswer(err)
	}
	return answer{Reached: &struct{}{}}
}

func failedAnswer(err error) answer {
	var known *AgentError
	if !errors.As(err, &known) {
		known = &AgentError{KindFailed, err.Error()}
	}
	return answer{Error: known}
}

// sendWarning logs, and has the host do so, too: of our own log nothing is kept as a rule. It holds nobody up.
func (a *agent) sendWarning(link, what string, err error) {
	a.log.Warn(what, "link", link, "error", err)
	select {
	case a.warnings <- warning{link, what + ": " + err.Error()}:
	default:
	}
}

// forwardWarnings brings warnings to the host until the session ends.
func (a *agent) forwardWarnings() {
	for {
		select {
		case w := <-a.warnings:
			if stream, err := a.session.Open(controlLink); err == nil {
				_ = newMessages(stream).sendMessage(w) // the session has ended, or is about to
				_ = stream.Close()
			}
		case <-a.session.Done():
			return
		}
	}
}

// acceptClients carries every connection.
func (a *agent) acceptClients(listener net.Listener, l Listen) {
	failed := func(err error) { a.sendWarning(l.Link, "accept", err) }
	acceptUntilClosed(listener, failed, a.session.Done(), func(conn net.Conn) {
		a.logPeer(conn, l.Link)
		serve := a.serveRawClient
		if l.Kind == KindDocker {
			serve = a.serveDocker
		}
		a.clients.Go(func() { serve(conn, l) })
	})
}

// serveRawClient carries a client of which nothing is known. It can't be told what is
// wrong, so its connection is closed.
func (a *agent) serveRawClient(conn net.Conn, l Listen) {
	card := newPeerInfo(conn, l.Link)
	a.forwardClient(&client{conn: conn}, l.Link, func(r *relay.Relay) (done func()) { return a.cards.addCard(r.Stream.ID(), card) })
}
