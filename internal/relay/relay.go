// Package relay joins a local connection and a stream of the session, in both directions, until both have ended.
//
// It does not know what links there are, and looks at what is said only where that is HTTP: at the heads of answers, which it
// never changes. Law: one way of ending is never turned into another, but for the end of a raw stream to a pipe: see
// takeover.go.
package relay

import (
	"errors"
	"io"
	"net"
	"sync"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockerapi"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
)

// Relay is a connection and a stream, joined. What happens to one direction is passed on as what it is:
//
//	end of stream          CloseWrite: the other direction goes on
//	the reader is gone     stop reading from the writer: its writes fail;
//	                       the other direction goes on
//	anything else          the connection is dead: both directions end
//
// Its fields are set before Run.
type Relay struct {
	Conn   net.Conn
	Stream *mux.Stream
	Memory *Memory // takes back large buffers; may be nil
	Flow   Counter // counts what is handed on; may be nil

	// Whole has the end of the engine's whole connection passed on as such: see fullclose.go.
	Whole bool

	// Tell gives a client the reason why it gets no answer: ErrFrozen, ErrRefused or a *mux.RefusedError. It returns
	// when the client has taken that or had the time for it. It is nil for who can't be told; else what is carried is HTTP.
	Tell func(reason error)
	// First is what such a client has said already.
	First []byte
	// Requests is the way of what it says, which may be changed or refused there; nil if it can't. Answers is then what
	// the engine says to those.
	Requests *dockerapi.Requests
	Answers  *dockerapi.Answers

	takeover  dockerapi.Takeover // see takeover.go
	headIsOut bool               // and what comes next waits until it is taken

	progress progress
	watching sync.WaitGroup // for the engine to close, and for a client to take a head
	inward   sync.WaitGroup // the direction from the stream
	resume   func()         // goes on with it: carryToConn, made a value once

	mu    sync.Mutex
	state state
	told  error // why the client gets no answer, once it is told
}

// Side is whose connection is relayed.
type Side bool

// The sides: a client's connection is the agent's; on a reverse link, the host's.
const (
	Clients Side = true
	Engines Side = false
)

// Counter counts bytes: those that a client has sent, and those that it has got.
type Counter interface {
	Add(sent bool, n int)
}

var (
	// ErrFrozen is why a client was given up.
	ErrFrozen = errors.New("the carrier stands still")
	// ErrRefused is what Requests.Write returns of a request that is refused, and why its client gets no other answer.
	ErrRefused = errors.New("the request was refused")
	// ErrLeft is what Requests.Write returns when nobody waits for an answer.
	ErrLeft = errors.New("translate request: its client has left")
)

// New returns a relay of a connection of that side.
func New(conn net.Conn, stream *mux.Stream, of Side) *Relay {
	return &Relay{Conn: conn, Stream: stream, state: state{side: of}}
}

// Run returns when both directions have ended and both ends are closed.
func (r *Relay) Run() {
	r.Stream.OnAbort(r.streamLost)
	r.followFullClose()
	r.inward.Add(1)
	r.resume = r.carryToConn
	go r.carryToConn()
	r.carryToStream()
	r.inward.Wait()
	r.closeBoth()
}

func (r *Relay) closeBoth() {
	r.Stream.OnAbort(nil)
	r.Stream.OnStop(nil)
	r.progress.stopTimer()
	_ = r.Conn.Close() // both may be closed already
	_ = r.Stream.Close()
	r.watching.Wait()
}

// handleEvent notes an event, and does what follows from it alone. The rest is the caller's.
func (r *Relay) handleEvent(e event) action {
	r.mu.Lock()
	do := r.state.applyEvent(e)
	r.mu.Unlock()
	switch do {
	case giveUp:
		_ = r.Stream.Reset(mux.CodeAborted) // it may be over
	case refuseMore:
		r.closeRead()
	case bound:
		r.boundRest()
	case hangUp:
		_ = r.Conn.Close()
	case breakOff:
		r.abortBoth()
	}
	return do
}

// currentState is the state at the moment.
func (r *Relay) currentState() state {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// IsLost tells whether the stream is.
func (r *Relay) IsLost() bool { return r.currentState().lost }

func (r *Relay) carryToStream() {
	r.handleEvent(r.toStreamEnded(r.sendToStream()))
}

// toStreamEnded passes on how that direction has ended. It has its own frame, as toConnEnded: a stack that must not
// grow is that of an idle stream.
func (r *Relay) toStreamEnded(readErr, writeErr error) event {
	switch {
	case errors.Is(writeErr, ErrRefused):
		// All requests before it have been answered: the end of what the engine says lets toConnEnded tell the client.
		if r.handleEvent(requestRefused) == giveUp {
			DiscardInput(r.Conn)
		}
		return toStreamFails
	case writeErr != nil && r.reasonUnanswered(writeErr) != nil:
		DiscardInput(r.Conn) // toConnEnded tells the client
		return toStreamFails
	case writeErr != nil:
		r.closeRead()
		r.clientGone(Engines)
		return toStreamFails
	case readErr == io.EOF:
		_ = r.Stream.CloseWrite() // fails only if it was reset: the other direction sees that
		r.reportFullClose()
		return toStreamEnds
	case r.closedByEngine():
		_ = r.Stream.CloseWrite()
		return toStreamEnds
	}
	r.abortBoth()
	return toStreamFails
}

// DiscardInput throws away what a client that is told still sends.
func DiscardInput(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// sendToStream sends what the client said first, and what it says.
func (r *Relay) sendToStream() (readErr, writeErr error) {
	if len(r.First) > 0 {
		writeErr = r.forwardInput(r.First)
	}
	if writeErr == nil {
		readErr, writeErr = r.copyPieces(r.forwardLaterInput, r.Conn, nil)
	}
	if r.Requests != nil && readErr == io.EOF {
		writeErr = r.Requests.EndRequests()
	}
	if errors.Is(writeErr, ErrLeft) { // it has said all that it will
		return io.EOF, nil
	}
	return readErr, writeErr
}

// forwardInput hands on what a client says, or an engine.
func (r *Relay) forwardInput(b []byte) error {
	if r.Requests != nil {
		return r.Requests.Write(b)
	}
	return r.WriteToStream(b)
}

// forwardLaterInput hands on what a client says behind its first words.
func (r *Relay) forwardLaterInput(b []byte) error {
	if r.handleEvent(clientSpeaks) == dropPiece {
		return errGivenUp
	}
	return r.forwardInput(b)
}

// carryToConn has no goroutine while nothing comes: its stack would be half of what an idle stream holds.
func (r *Relay) carryToConn() {
	readErr, writeErr := r.copyPieces(r.deliverAnswer, r.Stream, r.parkStream)
	if readErr == errParked {
		return
	}
	r.handleEvent(r.toConnEnded(readErr, writeErr))
	r.inward.Done()
}

// parkStream has carryToConn called again when the stream has something for it, and tells that it has nothing now.
func (r *Relay) parkStream() bool { return r.Stream.Park(r.resume) }

func (r *Relay) toConnEnded(readErr, writeErr error) event {
	if r.Answers != nil {
		r.Answers.EndAnswers()
	}
	reason := r.reasonUnanswered(errors.Join(readErr, writeErr))
	switch {
	case reason != nil:
		r.tellClient(reason)
		return toConnRefused
	case writeErr != nil:
		_ = r.Stream.CloseRead(mux.CodeAborted) // it may be over
		r.clientGone(Clients)
		return toConnFails
	case readErr == io.EOF:
		r.closeWrite()
		r.endRawStream()
		return toConnEnds
	case r.closedByEngine(): // nobody is there to be told
		return toConnEnds
	}
	r.abortBoth()
	return toConnFails
}

// deliverAnswer hands a piece of the answer on.
func (r *Relay) deliverAnswer(b []byte) error {
	if r.handleEvent(answerComes) == dropPiece {
		return errGivenUp
	}
	err := r.writeToClient(b)
	if r.Answers != nil && err == nil {
		r.followAnswers(b)
	}
	return err
}

// closeWrite ends the direction to the connection. Where the connection can't
// do that (a pipe in byte mode) it stays open until the other direction ends.
// When that has ended already, closing everything does it as well, and never
// waits: go-winio's CloseWrite does, until the peer has read everything.
func (r *Relay) closeWrite() {
	last := r.currentState().toStream.isOver()
	c, ok := r.Conn.(interface{ CloseWrite() error })
	if last || !ok {
		return
	}
	r.progress.beginWrite()
	defer r.progress.endWrite()
	_ = c.CloseWrite() // whoever is gone there shows in the other direction
}

// closeRead makes the far side's writes fail, where the connection can do that: pipes can't.
func (r *Relay) closeRead() {
	if c, ok := r.Conn.(interface{ CloseRead() error }); ok {
		_ = c.CloseRead()
	}
}

// WriteToStream hands b on to the other half. One goroutine at a time may call it.
func (r *Relay) WriteToStream(b []byte) error {
	return r.writeCounted(r.Stream, b, r.state.side == Clients)
}

// WriteToConn hands b on to the program here. It may be called beside what the other half sends only while that
// sends nothing.
func (r *Relay) WriteToConn(b []byte) error {
	return r.writeCounted(r.Conn, b, r.state.side == Engines)
}

func (r *Relay) writeCounted(to io.Writer, b []byte, sent bool) error {
	r.progress.beginWrite()
	n, err := to.Write(b)
	r.progress.endWrite()
	if r.Flow != nil {
		r.Flow.Add(sent, n)
	}
	return err
}

// abortBoth ends both directions as failed. Where the connection has no end for
// that (a pipe), it is closed.
func (r *Relay) abortBoth() {
	_ = r.Stream.Reset(mux.CodeAborted) // both may be closed already
	if c, ok := r.Conn.(interface{ Reset() error }); ok {
		_ = c.Reset()
	}
	_ = r.Conn.Close()
}

// clientGone notes that nobody takes what is on its way to the client, if this
// is the side to know: then what the client had sent may be to an engine that
// waits for its own output to be taken, and reads no more. The other way round,
// an engine that is gone leaves an answer, and its client may read at leisure.
func (r *Relay) clientGone(known Side) {
	if r.state.side == known {
		r.boundRest()
	}
}

// streamLost is called when the stream is dead while this side may be busy
// elsewhere. What has arrived is still handed on, unless that stands still.
func (r *Relay) streamLost() { r.handleEvent(streamLost) }

// closedByEngine: see state.
func (r *Relay) closedByEngine() bool {
	s := r.currentState()
	return s.closedByEngine()
}
