package bridge

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// Host is the Windows half of a session.
type Host struct {
	peer
	warned func(link, text string)
	left   bool // the agent said goodbye; valid after Close
}

// Join greets the agent at the other end of the carrier, which it owns from
// here on, and starts to serve the links. warned is told what the agent warns of, in
// one line that a terminal may show, several at the same time. ctx bounds the greeting alone. The
// error is a *NoiseError if no agent spoke and an *OtherBuildError if it was
// not the expected one; the carrier is closed then.
func Join(ctx context.Context, carrier io.ReadWriteCloser, id BuildID, links map[string]Dial, warned func(link, text string), log *slog.Logger) (*Host, error) {
	err := readHello(ctx, carrier, id)
	if err == nil {
		_, err = carrier.Write(appendHello(nil, id))
	}
	if err != nil {
		return nil, errors.Join(err, carrier.Close())
	}
	h := &Host{peer: newPeer(mux.New(carrier, mux.Host), log), warned: warned}
	h.stats, h.control = &Stats{}, h.handleAgentWarning
	maps.Copy(h.routes.to, links)
	h.relays.Go(h.acceptIncomingStreams)
	h.relays.Go(func() { boundFailingCarrier(h.session) })
	return h, nil
}

// handleAgentWarning takes a warning of the agent's. One of a link that leads nowhere is none.
func (h *Host) handleAgentWarning(stream *mux.Stream) {
	defer stream.Close()
	m := &messages{lines: bufio.NewScanner(io.LimitReader(stream, maxWarning))}
	var w warning
	if m.receiveMessage(&w) == nil && h.routes.hasRoute(w.Link) {
		h.warned(w.Link, printable.Line(w.Warning))
	}
}

// Listen has the agent listen for a link. The error is an *AgentError if the
// agent could not. It takes 10 s at the most.
func (h *Host) Listen(ctx context.Context, l Listen) (Listening, error) {
	a, err := h.askAgent(ctx, request{Listen: &l})
	switch {
	case err != nil:
		return Listening{}, err
	case !a.Listening.isWellFormed():
		return Listening{}, errOtherAnswer
	}
	return *a.Listening, nil
}

// Route has new connections of a link lead to where dial does.
func (h *Host) Route(link string, dial Dial) { h.routes.addRoute(link, dial) }

// Unroute has a link lead nowhere any more.
func (h *Host) Unroute(link string) { h.routes.removeRoute(link) }

// StopListening ends a link: connections that come are refused, and the agent removes the
// socket. Those that are there go on. It takes 10 s at the most.
func (h *Host) StopListening(ctx context.Context, link string) error {
	h.routes.removeRoute(link)
	a, err := h.askAgent(ctx, request{Unlisten: &ofLink{link}})
	if err == nil && a.Unlistened == nil {
		err = errOtherAnswer
	}
	return err
}

// RouteInAgent has the agent dial a socket of the distro for connections of a reverse link. The
// error is an *AgentError if it could not. It takes 10 s at the most.
func (h *Host) RouteInAgent(ctx context.Context, l AgentRoute) (Leading, error) {
	a, err := h.askAgent(ctx, request{Lead: &l})
	switch {
	case err != nil:
		return Leading{}, err
	case a.Leading == nil || a.Leading.Agent.PID < 0:
		return Leading{}, errOtherAnswer
	}
	return *a.Leading, nil
}

// UnrouteInAgent ends a reverse link: what is opened for it from now on is refused. Connections that
// are there go on. It takes 10 s at the most.
func (h *Host) UnrouteInAgent(ctx context.Context, link string) error {
	a, err := h.askAgent(ctx, request{Unlead: &ofLink{link}})
	if err == nil && a.Unled == nil {
		err = errOtherAnswer
	}
	return err
}

// TryTarget has the agent try what a reverse link leads to, by a connection that ends at once. The error is an
// *AgentError if it takes none. It takes 10 s at the most.
func (h *Host) TryTarget(ctx context.Context, link string) error {
	a, err := h.askAgent(ctx, request{Reach: &ofLink{link}})
	if err == nil && a.Reached == nil {
		err = errOtherAnswer
	}
	return err
}

// Dial opens a connection of a reverse link for a question of ours. Whether it is refused shows in
// Read, with a *mux.RefusedError.
func (h *Host) Dial(link string) (net.Conn, error) {
	stream, err := h.session.Open(link)
	if err != nil {
		return nil, fmt.Errorf("dial link %s: %w", link, err)
	}
	return stream, nil
}

// acceptReverseClient begins to carry a client of a reverse link, unless the session is over.
func (h *Host) acceptReverseClient(c *client, link string) bool {
	if h.session.Err() != nil || !h.routes.enterOwnClient(link, &h.relays) {
		return false
	}
	go func() {
		defer h.relays.Done()
		defer h.routes.leaveRoute(link)
		h.forwardClient(c, link, nil)
	}()
	return true
}

// CountDistroUsers is how many programs of others Windows has started in the distro that
// still run. It takes 10 s at the most.
func (h *Host) CountDistroUsers(ctx context.Context) (int, error) {
	a, err := h.askAgent(ctx, request{Users: &struct{}{}})
	switch {
	case err != nil:
		return 0, err
	case a.Users == nil || *a.Users < 0:
		return 0, errOtherAnswer
	}
	return *a.Users, nil
}

var errOtherAnswer = errors.New("ask agent: it answered something else")

// askAgent puts one question to the agent.
func (h *Host) askAgent(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	stream, err := h.session.Open(controlLink)
	if err != nil {
		return answer{}, fmt.Errorf("ask agent: %w", err)
	}
	defer stream.Close()
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset(mux.CodeShutdown) }) // unblocks ask
	defer stop()
	a, err := newMessages(stream).roundTrip(r)
	if err != nil && ctx.Err() != nil {
		return answer{}, fmt.Errorf("ask agent: %w", context.Cause(ctx))
	}
	return a, err
}

// CountStreams is the number of connections that are bridged now. Questions to the
// agent are streams of the session, and none of these.
func (h *Host) CountStreams() int { return h.routes.countAllConnections() }

// CountStreamsOf is the number of a link's.
func (h *Host) CountStreamsOf(link string) int { return h.routes.countOf(link) }

// Done is closed when the session has ended; Err tells why.
func (h *Host) Done() <-chan struct{} { return h.session.Done() }

// Err is nil while the session lives.
func (h *Host) Err() error { return h.session.Err() }

// Close is CloseBy with the 5 s that streams get when nothing else was said.
func (h *Host) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	return h.CloseBy(ctx)
}

// CloseBy ends the session: the agent stops listening and removes its sockets
// at once, live streams have until ctx ends to come to their end, what is left then is
// reset. It returns when nothing of the session is left on this side; the
// error, the context's, says that streams were cut.
func (h *Host) CloseBy(ctx context.Context) error {
	lived := h.session.Err() == nil
	inTime, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		h.cutting.Store(true) // before the first is cut
		cancel()
	})
	defer stop()
	err := h.session.Drain(inTime)
	if err != nil && err == inTime.Err() {
		err = ctx.Err()
	}
	var lost *mux.LostError
	if errors.As(err, &lost) { // whatever that was, it is not this drain
		err, lived = nil, false
	}
	select { // the agent ends its side first
	case <-h.session.Done():
		h.left = lived
	case <-time.After(leaveTime):
	}
	err = errors.Join(err, h.session.Close())
	h.AwaitRelays()
	return err
}

// AgentLeft tells after Close whether the agent ended its side in time. If not, it
// may be there still, with its sockets.
func (h *Host) AgentLeft() bool { return h.left }

// Abort ends the session and its carrier at once. Relays end by themselves,
// within 5 s where an engine takes no more: Wait waits for them.
func (h *Host) Abort() { _ = h.session.Close() }

// AwaitRelays returns when no relay of an ended session is left.
func (h *Host) AwaitRelays() {
	h.relays.Wait()
	h.liveness.asking.Wait()
}

// Ping measures a round trip to the agent. It ends with the context's error
// while the carrier stands still.
func (h *Host) Ping(ctx context.Context) (time.Duration, error) { return h.session.Ping(ctx) }

// boundFailingCarrier bounds the time of a carrier that takes no more bytes.
func boundFailingCarrier(s *mux.Session) {
	select {
	case <-s.Done():
		return
	case <-s.WriteFailed():
	}
	select {
	case <-s.Done():
	case <-time.After(failTime):
		s.Close()
	}
}

func refuseCodeOf(err error) mux.RefuseCode {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return mux.RefuseNotFound
	case errors.Is(err, fs.ErrPermission):
		return mux.RefuseDenied
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return mux.RefuseTimeout
	}
	return mux.RefuseFailed
}
