package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
)

// Host is the Windows half of a session.
type Host struct {
	session *mux.Session
	log     *slog.Logger
	memory  memory
	relays  sync.WaitGroup
	left    bool // the agent said goodbye; valid after Close

	mu     sync.Mutex
	links  map[string]Dial
	joined map[string]int // connections, by link
}

// Join greets the agent at the other end of the carrier, which it owns from
// here on, and starts to serve the links. ctx bounds the greeting alone. The
// error is a *NoiseError if no agent spoke and an *OtherBuildError if it was
// not the expected one; the carrier is closed then.
func Join(ctx context.Context, carrier io.ReadWriteCloser, id BuildID, links map[string]Dial, log *slog.Logger) (*Host, error) {
	err := readHello(ctx, carrier, id)
	if err == nil {
		_, err = carrier.Write(appendHello(nil, id))
	}
	if err != nil {
		return nil, errors.Join(err, carrier.Close())
	}
	h := &Host{session: mux.New(carrier, mux.Host), links: map[string]Dial{}, joined: map[string]int{}, log: log}
	maps.Copy(h.links, links)
	h.relays.Go(h.serve)
	h.relays.Go(func() { boundFailing(h.session) })
	return h, nil
}

// Listen has the agent listen for a link. The error is an *AgentError if the
// agent could not. It takes 10 s at the most.
func (h *Host) Listen(ctx context.Context, l Listen) (Listening, error) {
	a, err := h.ask(ctx, request{Listen: &l})
	switch {
	case err != nil:
		return Listening{}, err
	case !a.Listening.plain():
		return Listening{}, errOtherAnswer
	}
	return *a.Listening, nil
}

// Lead has new connections of a link lead to where dial does.
func (h *Host) Lead(link string, dial Dial) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.links[link] = dial
}

// Unlisten ends a link: connections that come are refused, and the agent removes the
// socket. Those that are there go on. It takes 10 s at the most.
func (h *Host) Unlisten(ctx context.Context, link string) error {
	h.mu.Lock()
	delete(h.links, link)
	h.mu.Unlock()
	a, err := h.ask(ctx, request{Unlisten: &unlisten{link}})
	if err == nil && a.Unlistened == nil {
		err = errOtherAnswer
	}
	return err
}

// Users is how many programs of others Windows has started in the distro that
// still run. It takes 10 s at the most.
func (h *Host) Users(ctx context.Context) (int, error) {
	a, err := h.ask(ctx, request{Users: &struct{}{}})
	switch {
	case err != nil:
		return 0, err
	case a.Users == nil || *a.Users < 0:
		return 0, errOtherAnswer
	}
	return *a.Users, nil
}

var errOtherAnswer = errors.New("ask agent: it answered something else")

// ask puts one question to the agent.
func (h *Host) ask(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	stream, err := h.session.Open(controlLink)
	if err != nil {
		return answer{}, fmt.Errorf("ask agent: %w", err)
	}
	defer stream.Close()
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset(mux.CodeShutdown) }) // unblocks ask
	defer stop()
	a, err := newMessages(stream).ask(r)
	if err != nil && ctx.Err() != nil {
		return answer{}, fmt.Errorf("ask agent: %w", context.Cause(ctx))
	}
	return a, err
}

// Streams is the number of connections that are bridged now. Questions to the
// agent are streams of the session, and none of these.
func (h *Host) Streams() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, of := range h.joined {
		n += of
	}
	return n
}

// StreamsOf is the number of a link's.
func (h *Host) StreamsOf(link string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.joined[link]
}

// Done is closed when the session has ended; Err tells why.
func (h *Host) Done() <-chan struct{} { return h.session.Done() }

// Err is nil while the session lives.
func (h *Host) Err() error { return h.session.Err() }

// Close ends the session: the agent stops listening and removes its sockets
// at once, live streams get 5 s to come to their end, what is left then is
// reset. It returns when nothing of the session is left on this side; the
// error says that streams were cut.
func (h *Host) Close() error {
	lived := h.session.Err() == nil
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := h.session.Drain(ctx)
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
	h.relays.Wait()
	return err
}

// Left tells after Close whether the agent ended its side in time. If not, it
// may be there still, with its sockets.
func (h *Host) Left() bool { return h.left }

// Abort ends the session and its carrier at once. Relays end by themselves,
// within 5 s where an engine takes no more: Wait waits for them.
func (h *Host) Abort() { _ = h.session.Close() }

// Wait returns when no relay of an ended session is left.
func (h *Host) Wait() { h.relays.Wait() }

// Ping measures a round trip to the agent. It ends with the context's error
// while the carrier stands still.
func (h *Host) Ping(ctx context.Context) (time.Duration, error) { return h.session.Ping(ctx) }

// boundFailing bounds the time of a carrier that takes no more bytes.
func boundFailing(s *mux.Session) {
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

// serve takes the agent's streams until the session ends.
func (h *Host) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for {
		offer, err := h.session.Accept()
		if err != nil {
			return
		}
		h.relays.Go(func() { h.join(ctx, offer) })
	}
}

// join dials what the stream is for and relays.
func (h *Host) join(ctx context.Context, offer *mux.Offer) {
	dial, known := h.enter(offer.Link())
	if !known {
		h.log.Debug("link refused", "link", offer.Link(), "reason", "unknown")
		offer.Refuse(mux.RefuseUnknownLink)
		return
	}
	defer h.leave(offer.Link())
	if j := h.meet(ctx, offer, dial); j != nil {
		j.run()
	}
}

// meet is the stream joined to its engine; nil if that is not to be had. It has its own frame:
// what join holds, each idle stream does.
func (h *Host) meet(ctx context.Context, offer *mux.Offer, dial Dial) *joint {
	conn, err := dial(ctx)
	if err != nil {
		h.log.Debug("link refused", "link", offer.Link(), "reason", err)
		offer.Refuse(refusal(err))
		return nil
	}
	return &joint{conn: conn, stream: offer.Accept(), side: engines, memory: &h.memory}
}

// enter counts a connection to a link. What a distro asks for that is no link is not counted.
func (h *Host) enter(link string) (dial Dial, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if dial, known = h.links[link]; known {
		h.joined[link]++
	}
	return dial, known
}

func (h *Host) leave(link string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.joined[link]--; h.joined[link] == 0 {
		delete(h.joined, link)
	}
}

func refusal(err error) mux.RefuseCode {
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
