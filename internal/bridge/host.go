package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
)

// Host is the Windows half of a session.
type Host struct {
	session *mux.Session
	links   map[string]Dial
	log     *slog.Logger
	memory  memory
	relays  sync.WaitGroup
	joined  atomic.Int64 // connections
	left    bool         // the agent said goodbye; valid after Close
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
	h := &Host{session: mux.New(carrier, mux.Host), links: links, log: log}
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
func (h *Host) Streams() int { return int(h.joined.Load()) }

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
	h.joined.Add(1)
	defer h.joined.Add(-1)
	dial, known := h.links[offer.Link()]
	if !known {
		h.log.Debug("link refused", "link", offer.Link(), "reason", "unknown")
		offer.Refuse(mux.RefuseUnknownLink)
		return
	}
	conn, err := dial(ctx)
	if err != nil {
		h.log.Debug("link refused", "link", offer.Link(), "reason", err)
		offer.Refuse(refusal(err))
		return
	}
	(&joint{conn: conn, stream: offer.Accept(), side: engines, memory: &h.memory}).run()
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
