// Package mux carries many streams over one carrier, a byte pipe such as the
// stdio of one wsl.exe. docs/protocol.md is its specification.
//
// It knows frames, windows and fairness; it does not know what a link is
// beyond its name, nor who is at the other end. A stream is a net.Conn with
// half-close, stop-sending and reset, and ends in one of four ways that are
// never mixed up: end of stream, reset, refusal, loss of the carrier. Bytes
// that have arrived stay readable whichever way it ends.
//
// Law: one reader that never waits for a consumer, one writer that serves
// control frames first and streams in turn, one place of death (fail). No
// call but Read, Write, Accept, Ping and Drain waits for anything, a
// frozen carrier included, and the session's Close waits for the carrier's alone.
// Nothing here has a timer of its own.
package mux

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of one session. What a peer can make the other side hold is bounded
// by maxStreams*(initialWindow+largeChunk) + windowBudget = 192 MiB, whatever
// the sizes of the frames it sends; by 128 MiB more where it also answers as many streams
// that the other side has opened.
const (
	// maxStreams is how many streams of one peer live at a time.
	maxStreams = 4096
	// maxRefusals is how many refusals may wait for a carrier that the peer
	// does not read before the session is given up.
	maxRefusals = 1024
	// initialWindow is what may be sent on a stream before its far end has
	// said anything: the optimistic data of an open.
	initialWindow = 16 << 10
	// maxWindow is the largest receive window of one stream.
	maxWindow = 1 << 20
	// windowBudget bounds what all receive windows of a session exceed
	// initialWindow by, taken together.
	windowBudget = 64 << 20
	// batchSize is what one write to the carrier is filled up to.
	batchSize = 32 << 10
	// quantum is the payload that one stream gets per turn. With its header
	// it fills the 4 KiB buffer of a wsl.exe relay hop.
	quantum = 4096 - headerSize
)

// Side tells the two ends of a carrier apart, so that both can number their
// streams without asking.
type Side uint32

// The two sides.
const (
	Host  Side = 0 // even stream ids
	Agent Side = 1 // odd stream ids
)

// Session is the life of the protocol over one carrier.
type Session struct {
	carrier io.ReadWriteCloser
	side    Side

	done        chan struct{} // closed when the session has died
	leaving     chan struct{} // closed when the peer has said goaway
	writeFailed chan struct{} // closed when the carrier took no more bytes
	loops       sync.WaitGroup

	began time.Time
	heard atomic.Int64 // when the peer was last heard, in nanoseconds since began

	mu      sync.Mutex
	work    sync.Cond // the writer waits here
	offered sync.Cond // Accept waits here
	settled sync.Cond // Drain waits here

	err      error // why it died; set once
	left     bool  // it died as agreed: see Left
	writeErr error // why nothing can be sent any more; set once
	streams  map[uint32]*Stream
	own      int // live streams opened by this side
	foreign  int // live streams opened by the peer
	nextID   uint32
	offers   []*IncomingStream
	extra    int    // what all receive windows exceed initialWindow by
	grown    list   // streams whose windows do; those that got something last come last
	arrived  uint64 // bytes of DATA that have come

	spare chunks

	batch    []byte // frames for the next write
	writing  bool   // the writer is in carrier.Write
	control  list   // streams with control frames to send
	ready    list   // streams with data to send and window to send it
	refusals []refusal

	saidGoAway  bool
	sendGoAway  bool
	peerGoAway  bool
	ping        uint64 // highest number sent in a ping
	pingPending bool
	pong        uint64 // highest number to answer
	pongPending bool
	pings       map[uint64]chan struct{}
}

type refusal struct {
	id   uint32
	code RefuseCode
}

// New starts a session on a carrier, which it owns from here on. The two ends
// must be given different sides. The carrier's Close must unblock its Read
// and Write.
func New(carrier io.ReadWriteCloser, side Side) *Session {
	s := &Session{
		carrier:     carrier,
		side:        side,
		done:        make(chan struct{}),
		leaving:     make(chan struct{}),
		writeFailed: make(chan struct{}),
		began:       time.Now(),
		streams:     make(map[uint32]*Stream),
		nextID:      uint32(side) - 2, // the one before the first
		control:     list{kind: controlList},
		ready:       list{kind: readyList},
		grown:       list{kind: grownList},
		pings:       make(map[uint64]chan struct{}),
	}
	s.work.L, s.offered.L, s.settled.L = &s.mu, &s.mu, &s.mu
	s.loops.Add(2)
	go s.readLoop()
	go s.writeLoop()
	return s
}

// Open opens a stream for a link. It does not wait for the peer: bytes may be
// written at once and travel behind the open; a refusal shows up as a
// *RefusedError of Read and Write.
func (s *Session) Open(link string) (*Stream, error) {
	if !validLink(link) {
		return nil, errors.New("open stream: a link name has 1 to 64 letters, digits or any of . _ - @")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return nil, s.err
	case s.writeErr != nil:
		return nil, s.writeErr
	case s.peerGoAway || s.saidGoAway:
		return nil, ErrGoingAway
	case s.own >= maxStreams:
		return nil, ErrTooManyStreams
	}
	st := newStream(s, s.nextFreeID(), link)
	s.own++
	s.streams[st.id] = st
	s.queueControlFrame(st, sendOpen)
	return st, nil
}

// nextFreeID gives the next stream id of this side. Ids come again only after
// 2^31 opens, and not while the stream of that number lives.
func (s *Session) nextFreeID() uint32 {
	for {
		s.nextID += 2
		if _, taken := s.streams[s.nextID]; !taken && s.nextID != 0 {
			return s.nextID
		}
	}
}

// Accept waits for the peer's next open. It returns the session's error once
// that has died.
func (s *Session) Accept() (*IncomingStream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.offers) == 0 && s.err == nil {
		s.offered.Wait()
	}
	if s.err != nil {
		return nil, s.err
	}
	o := s.offers[0]
	s.offers[0] = nil
	s.offers = s.offers[1:]
	return o, nil
}

// Ping measures a round trip through both multiplexers. It ends with the
// context's error if the peer does not answer: the carrier is then frozen,
// not lost.
func (s *Session) Ping(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	answer := make(chan struct{})
	s.mu.Lock()
	if err := s.sendErrLocked(); err != nil {
		s.mu.Unlock()
		return 0, err
	}
	s.ping++
	n := s.ping
	s.pings[n] = answer
	s.pingPending = true
	s.work.Signal()
	s.mu.Unlock()

	select {
	case <-answer:
		return time.Since(start), nil
	case <-ctx.Done():
	case <-s.done:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pings, n)
	if s.err != nil {
		return 0, s.err
	}
	return 0, ctx.Err()
}

// QuietTime is how long nothing of the peer has arrived. A peer may have nothing
// to say; Ping tells that from a frozen carrier.
func (s *Session) QuietTime() time.Duration {
	return time.Since(s.began) - time.Duration(s.heard.Load())
}

// GoAway tells the peer that no new stream is wanted in either direction.
// Live streams go on.
func (s *Session) GoAway() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saidGoAway || s.sendErrLocked() != nil {
		return
	}
	s.saidGoAway, s.sendGoAway = true, true
	s.work.Signal()
}

// PeerLeaving is closed when the peer has said goaway.
func (s *Session) PeerLeaving() <-chan struct{} { return s.leaving }

// WriteFailed is closed when the carrier takes no more bytes. What the peer
// had sent is still read until the carrier ends; who owns the session bounds
// that time, with Close.
func (s *Session) WriteFailed() <-chan struct{} { return s.writeFailed }

// Done is closed when the session has died, Err tells why.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err is nil while the session lives.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// CountStreams is the number of live streams.
func (s *Session) CountStreams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.streams)
}

// Drain says goaway and waits until every stream has ended, its owner has closed it, and every frame
// has been handed to the carrier. When ctx ends first it resets what still
// lives and returns the context's error. It does not close the session: the
// peer may have more to say, its end of the carrier is the better end.
func (s *Session) Drain(ctx context.Context) error {
	s.GoAway()
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.settled.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for ctx.Err() == nil && s.isUnsettled() {
		if !s.writing && !s.hasNothingToSend() {
			s.work.Signal() // an ACCEPT that nothing has followed
		}
		s.settled.Wait()
	}
	if err := ctx.Err(); err != nil {
		s.resetAllStreams()
		return err
	}
	if s.left {
		return nil
	}
	return s.sendErrLocked()
}

// isUnsettled tells that there is something for Drain to wait for: streams that live, frames, and
// once the peer has left, owners that have yet to read what had arrived.
func (s *Session) isUnsettled() bool {
	if s.sendErrLocked() != nil {
		return s.left && len(s.streams) > 0
	}
	return len(s.streams) > 0 || s.writing || !s.hasNothingToSend()
}

// PeerLeft tells that the peer has ended the session as agreed: after the goaway of this side, with
// every stream over in both directions. What has arrived may still be read then.
func (s *Session) PeerLeft() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left
}

func (s *Session) resetAllStreams() {
	for _, st := range s.streams {
		st.resetLocked(CodeShutdown)
		st.notifyAborted()
	}
}

// Close ends the session at once; its streams end as lost. It returns when
// both of the session's goroutines have ended.
func (s *Session) Close() error {
	s.failSession(ErrClosed)
	s.loops.Wait()
	return nil
}

// failSession is the one place where a session dies.
func (s *Session) failSession(cause error) {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	s.err = &LostError{Cause: cause}
	s.left = s.saidGoAway && !s.sendGoAway && s.writeErr == nil && s.allStreamsOver()
	for _, st := range s.streams {
		if s.left {
			st.control = 0 // nobody is there for it
			s.releaseStream(st)
			continue
		}
		st.notifyAborted()
	}
	s.work.Broadcast()
	s.offered.Broadcast()
	s.settled.Broadcast()
	close(s.done)
	s.mu.Unlock()
	_ = s.carrier.Close() // the cause of death is known already
}

// allStreamsOver tells that the live streams have only to be read and closed by their owners.
func (s *Session) allStreamsOver() bool {
	for _, st := range s.streams {
		if !st.isOver() {
			return false
		}
	}
	return true
}

// failWrites notes that nothing can be sent any more.
func (s *Session) failWrites(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeErr = &LostError{Cause: cause}
	for _, st := range s.streams {
		st.writable.Broadcast()
	}
	s.settled.Broadcast()
	close(s.writeFailed)
}

// sendErrLocked tells why nothing can be sent, or nil.
func (s *Session) sendErrLocked() error {
	if s.err != nil {
		return s.err
	}
	return s.writeErr
}
