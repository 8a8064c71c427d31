package bridge

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockerapi"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
)

// joint is a local connection and a stream, joined until both directions have
// ended. What happens to one direction happens to the other side's program
// as if there were no bridge between:
//
//	end of stream          CloseWrite: the other direction goes on
//	the reader is gone     stop reading from the writer: its writes fail;
//	                       the other direction goes on
//	anything else          the connection is dead: both directions end
type joint struct {
	conn   net.Conn
	stream *mux.Stream
	memory *memory
	flow   *flow // counts what is handed on; nil counts nothing

	// Of a client that can be told why it gets no answer, else nil.
	first []byte           // what it has said already
	tell  func(why string) // answers it instead of its engine

	requests *dockerapi.Requests // the way of what it says, which may be changed there; nil if it can't
	answers  *dockerapi.Answers  // what the engine says to those; nil without them

	// takeover follows what a client is answered where that is HTTP: see takeover.go. Else it is nil.
	takeover  *dockerapi.Takeover
	headIsOut bool // and what comes next waits until it is taken

	// whole has the end of the engine's whole connection passed on as such: see gone.go.
	whole    bool
	watching sync.WaitGroup // for that end, and for a client to take a head

	moved   atomic.Int64   // counts hand-ons, when they begin and when they end, to see progress by
	writing atomic.Int32   // hand-ons under way
	inward  sync.WaitGroup // the direction from the stream
	resume  func()         // goes on with it; in, made a value once

	mu     sync.Mutex
	state  state
	told   string // why the client gets no answer, once it is told
	linger *time.Timer
}

// side tells whose connection is relayed.
type side bool

const (
	clients side = true  // the agent's; the host's of a reverse link
	engines side = false // the host's; the agent's of a reverse link
)

// relay returns when both directions have ended and both ends are closed.
func relay(conn net.Conn, stream *mux.Stream, of side) {
	(&joint{conn: conn, stream: stream, state: state{side: of}}).run()
}

// on notes an event, and does what follows from it alone. The rest is the caller's.
func (j *joint) on(e event) action {
	j.mu.Lock()
	do := j.state.on(e)
	j.mu.Unlock()
	switch do {
	case giveUp:
		_ = j.stream.Reset(mux.CodeAborted) // it may be over
	case refuseMore:
		j.closeRead()
	case bound:
		j.startLinger()
	case hangUp:
		_ = j.conn.Close()
	case breakOff:
		j.abort()
	}
	return do
}

// now is the state at the moment.
func (j *joint) now() state {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state
}

func (j *joint) run() {
	j.stream.OnAbort(j.streamAborted)
	j.awaitGone()
	j.inward.Add(1)
	j.resume = j.in
	go j.in()
	j.out()
	j.inward.Wait()
	j.finish()
}

// out carries from the connection to the stream.
func (j *joint) out() {
	j.on(j.outEnded(j.send()))
}

// outEnded has its own frame, as inEnded: a stack that must not grow is that of an idle stream.
func (j *joint) outEnded(readErr, writeErr error) event {
	switch {
	case errors.Is(writeErr, errRefused):
		// All requests before it have been answered: the end of what the engine says lets in tell the client.
		if j.on(requestRefused) == giveUp {
			drain(j.conn)
		}
		return toStreamFails
	case writeErr != nil && j.unanswered(writeErr) != "":
		drain(j.conn) // in tells the client
		return toStreamFails
	case writeErr != nil:
		j.closeRead()
		j.clientGone(engines)
		return toStreamFails
	case readErr == io.EOF:
		_ = j.stream.CloseWrite() // fails only if it was reset: in sees that
		j.watchGone()
		return toStreamEnds
	case j.closedByEngine():
		_ = j.stream.CloseWrite()
		return toStreamEnds
	}
	j.abort()
	return toStreamFails
}

// closeRead makes the far side's writes fail, where the connection can do that: pipes can't.
func (j *joint) closeRead() {
	if c, ok := j.conn.(interface{ CloseRead() error }); ok {
		_ = c.CloseRead()
	}
}

// send puts on the stream what the client said first, and what it says.
func (j *joint) send() (readErr, writeErr error) {
	if len(j.first) > 0 {
		writeErr = j.ask(j.first)
	}
	if writeErr == nil {
		readErr, writeErr = j.copy(j.say, j.conn, nil)
	}
	if j.requests != nil && readErr == io.EOF {
		writeErr = j.requests.End()
	}
	if errors.Is(writeErr, errLeft) { // it has said all that it will
		return io.EOF, nil
	}
	return readErr, writeErr
}

// ask hands on what a client says, or an engine.
func (j *joint) ask(b []byte) error {
	if j.requests != nil {
		return j.requests.Write(b)
	}
	return j.write(j.stream, b)
}

// say hands on what a client says behind its first words.
func (j *joint) say(b []byte) error {
	if j.on(clientSpeaks) == dropPiece {
		return errGivenUp
	}
	return j.ask(b)
}

// in carries from the stream to the connection. While nothing comes it has no goroutine: its stack
// would be half of what an idle stream holds.
func (j *joint) in() {
	readErr, writeErr := j.copy(j.deliver, j.stream, j.park)
	if readErr == errParked {
		return
	}
	j.on(j.inEnded(readErr, writeErr))
	j.inward.Done()
}

// park has in called again when the stream has something for it, and tells that it has nothing now.
func (j *joint) park() bool { return j.stream.Park(j.resume) }

func (j *joint) inEnded(readErr, writeErr error) event {
	if j.answers != nil {
		j.answers.End()
	}
	why := j.unanswered(errors.Join(readErr, writeErr))
	switch {
	case why != "":
		j.mu.Lock()
		j.told = why
		j.mu.Unlock()
		j.on(toConnRefused)
		_ = j.stream.Close() // it is over, whatever the client does
		j.tell(why)
		return toConnRefused
	case writeErr != nil:
		_ = j.stream.CloseRead(mux.CodeAborted) // as above
		j.clientGone(clients)
		return toConnFails
	case readErr == io.EOF:
		j.closeWrite()
		j.rawStreamEnded()
		return toConnEnds
	case j.closedByEngine(): // nobody is there to be told
		return toConnEnds
	}
	j.abort()
	return toConnFails
}

// errGivenUp answers what comes for a client, or from it, after it was given up.
var errGivenUp = errors.New("the client was given up")

// deliver hands a piece of the answer on.
func (j *joint) deliver(b []byte) error {
	if j.on(answerComes) == dropPiece {
		return errGivenUp
	}
	err := j.handOn(b)
	if j.answers != nil && err == nil {
		j.passed(b)
	}
	return err
}

// kept tells whether the client is not to be given up any more: it has got a piece of its
// answer, or has said more, which may be a request that runs.
func (j *joint) kept() bool {
	s := j.now()
	return s.toConn != waiting || s.toStream != waiting
}

// unanswered is why a client that can be told gets no answer, or "": it was
// given up, or the other half has refused it. A stream that died in another way
// says nothing of what the engine has done: its client gets a broken connection.
func (j *joint) unanswered(err error) (why string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var refusal *mux.RefusedError
	switch {
	case j.tell == nil || !j.state.mayTell():
		return ""
	case j.state.toStream == refused:
		return whyRequest
	case j.state.toConn == refused:
		return j.told
	case j.state.toConn == abandoned:
		return WhyFrozen
	case errors.As(err, &refusal):
		return whyRefused(refusal.Code)
	}
	return ""
}

// closedByEngine: see state.
func (j *joint) closedByEngine() bool {
	s := j.now()
	return s.closedByEngine()
}

// closeWrite ends the direction to the connection. Where the connection can't
// do that (a pipe in byte mode) it stays open until the other direction ends.
// When that has ended already, closing everything does it as well, and never
// waits: go-winio's CloseWrite does, until the peer has read everything.
func (j *joint) closeWrite() {
	last := j.now().toStream.over()
	c, ok := j.conn.(interface{ CloseWrite() error })
	if last || !ok {
		return
	}
	j.writing.Add(1)
	defer j.writing.Add(-1)
	j.moved.Add(1)
	_ = c.CloseWrite() // whoever is gone there shows in the other direction
	j.moved.Add(1)
}

func (j *joint) write(dst io.Writer, b []byte) error {
	j.writing.Add(1)
	defer j.writing.Add(-1)
	j.moved.Add(1)
	n, err := dst.Write(b)
	j.moved.Add(1)
	j.flow.add((dst == io.Writer(j.stream)) == (j.state.side == clients), n)
	return err
}

// abort ends both directions as failed. Where the connection has no end for
// that (a pipe), it is closed.
func (j *joint) abort() {
	_ = j.stream.Reset(mux.CodeAborted) // both may be closed already
	if c, ok := j.conn.(interface{ Reset() error }); ok {
		_ = c.Reset()
	}
	_ = j.conn.Close()
}

// clientGone notes that nobody takes what is on its way to the client, if this
// is the side to know: then what the client had sent may be to an engine that
// waits for its own output to be taken, and reads no more. The other way round,
// an engine that is gone leaves an answer, and its client may read at leisure.
func (j *joint) clientGone(known side) {
	if j.state.side == known {
		j.startLinger()
	}
}

// streamAborted is called when the stream is dead while this side may be busy
// elsewhere. What has arrived is still handed on, unless that stands still.
func (j *joint) streamAborted() { j.on(streamLost) }

// startLinger bounds what is left once one direction has failed: a hand-on, of 32 KiB at most,
// that takes longer than lingerTime is to somebody who will never read. Smaller steps can't be seen: a
// unix socket takes more only when a whole one has been read.
func (j *joint) startLinger() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.linger != nil || j.state.over() {
		return
	}
	seen := j.moved.Load()
	j.linger = time.AfterFunc(lingerTime, func() {
		now := j.moved.Load()
		if now == seen && j.writing.Load() > 0 {
			j.abort()
			return
		}
		seen = now
		j.mu.Lock()
		defer j.mu.Unlock()
		if !j.state.over() {
			j.linger.Reset(lingerTime)
		}
	})
}

func (j *joint) finish() {
	j.stream.OnAbort(nil)
	j.stream.OnStop(nil)
	j.mu.Lock()
	if j.linger != nil {
		j.linger.Stop()
	}
	j.mu.Unlock()
	_ = j.conn.Close() // both may be closed already
	_ = j.stream.Close()
	j.watching.Wait()
}
