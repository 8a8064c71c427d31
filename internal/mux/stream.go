package mux

import (
	"io"
	"net"
	"os"
	"sync"
)

// control says which control frames a stream has yet to send. They leave in
// the order of the bits.
type control uint16

const (
	sendOpen control = 1 << iota
	sendAccept
	sendRefuse
	sendWindow
	sendReclaim
	sendReturn
	sendStop
	sendEnd
	sendReset
)

// Stream is one connection inside a session. It is a net.Conn; its methods
// may be called from any goroutine.
type Stream struct {
	session *Session
	id      uint32
	link    string
	own     bool // opened by this side

	writing sync.Mutex // one Write at a time

	// The rest is guarded by session.mu.
	readable, writable sync.Cond
	readBy, writeBy    deadline

	places  [lists]place // in the lists the stream may wait in
	control control

	received buffer
	window   int    // what the receive window is now
	credit   int    // what the peer may still send
	consumed int    // read by the application and not yet granted again
	grant    int    // to be sent with the next WINDOW frame
	drained  bool   // the application has read all there was since the last grant
	lastData uint64 // session.arrived when DATA last came, or room for it was given

	pending    []byte // what the Write under way has yet to send
	sendWindow int
	unused     int // of it, to be returned with the next RETURN frame

	accepted   bool   // by the side that did not open it
	closed     bool   // Close or Reset was called
	readClosed bool   // CloseRead or Close was called
	ended      bool   // no more data from this side
	peerEnded  bool   // END has arrived
	gone       bool   // no frame of this id will come or matter any more
	peerErr    error  // reset or refused by the peer
	stopErr    error  // the peer reads no more
	parked     func() // waits in the place of a reader
	onAbort    func()
	onStop     func()
	refuseCode RefuseCode
	stopCode   Code
	resetCode  Code
}

func newStream(s *Session, id uint32, link string) *Stream {
	st := &Stream{
		session: s, id: id, link: link, own: id&1 == uint32(s.side),
		window: initialWindow, credit: initialWindow, sendWindow: initialWindow,
	}
	st.readable.L, st.writable.L = &s.mu, &s.mu
	return st
}

// Link is the name that the stream was opened for.
func (st *Stream) Link() string { return st.link }

// ID is the stream's number, the same on both sides.
func (st *Stream) ID() uint32 { return st.id }

// Read reads what has arrived. After that it returns io.EOF at the peer's end
// of stream, *ResetError, *RefusedError or *LostError.
func (st *Stream) Read(p []byte) (int, error) {
	s := st.session
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if err := st.readLocalErr(); err != nil {
			return 0, err
		}
		if len(p) == 0 {
			return 0, nil
		}
		if st.received.length > 0 {
			n := st.received.readBufferedBytes(p, &s.spare)
			st.consumed += n
			st.drained = st.drained || st.received.length == 0
			st.returnCredit()
			if st.received.length > 0 {
				st.readable.Signal() // for a second reader
			}
			return n, nil
		}
		if err := st.readEndLocked(); err != nil {
			return 0, err
		}
		st.readable.Wait()
	}
}

func (st *Stream) readLocalErr() error {
	switch {
	case st.readClosed:
		return net.ErrClosed
	case st.readBy.passed:
		return os.ErrDeadlineExceeded
	}
	return nil
}

// readEndLocked tells why nothing more will arrive, or nil.
func (st *Stream) readEndLocked() error {
	switch {
	case st.peerEnded:
		return io.EOF
	case st.peerErr != nil:
		return st.peerErr
	}
	return st.session.err
}

// returnCredit gives the peer back what has been read. The window follows its
// consumer: one that had to wait for bytes gets a larger one, up to maxWindow.
// It does not shrink for a slow one: a window that is small because its consumer was slow makes
// the next consumer behind a slow carrier slow, too. What an idle stream does not use is asked back when others need it.
func (st *Stream) returnCredit() {
	s := st.session
	if st.peerEnded || st.gone {
		st.markRecentlyUsed() // reclaim finds what that was
		return
	}
	if st.consumed < st.window/2 {
		return
	}
	grow := 0
	if st.drained {
		wanted := min(st.window, maxWindow-st.window)
		grow = min(wanted, windowBudget-s.extra)
		s.reclaimIdleCredit(wanted - grow)
	}
	st.setReceiveWindow(st.window + grow)
	st.grant += st.consumed + grow
	st.consumed, st.drained = 0, false
	s.queueControlFrame(st, sendWindow)
}

// Write returns when all of p has been handed to the session's writer. It
// waits while the peer's window is closed or other streams have their turn.
func (st *Stream) Write(p []byte) (int, error) {
	st.writing.Lock()
	defer st.writing.Unlock()
	s := st.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := st.writeErrLocked(); err != nil {
		return 0, err
	}
	st.pending = p[s.sendWithoutDelay(st, p):]
	for len(st.pending) > 0 {
		if err := st.writeErrLocked(); err != nil {
			n := len(p) - len(st.pending)
			st.pending = nil
			return n, err
		}
		s.queueForTurn(st)
		st.writable.Wait()
	}
	st.pending = nil
	return len(p), nil
}

func (st *Stream) writeErrLocked() error {
	switch {
	case st.ended:
		return net.ErrClosed
	case st.writeBy.passed:
		return os.ErrDeadlineExceeded
	case st.peerErr != nil:
		return st.peerErr
	case st.stopErr != nil:
		return st.stopErr
	}
	return st.session.sendErrLocked()
}

// CloseWrite ends the stream in the direction to the peer: half-close.
func (st *Stream) CloseWrite() error {
	return st.changeState(func() {
		st.endWrites()
	})
}

// CloseRead tells the peer that nothing more will be read, and drops what
// has arrived and what still comes. The peer's writes then fail.
func (st *Stream) CloseRead(code Code) error {
	return st.changeState(func() {
		st.stopReads(code)
	})
}

// Close ends both directions: the peer reads to the end of what was written,
// and its writes fail.
func (st *Stream) Close() error {
	return st.changeState(func() {
		st.endWrites()
		st.stopReads(CodeClosed)
		st.closed = true
	})
}

// Reset aborts the stream in both directions. The peer still reads what had
// been written before, then gets a *ResetError with this code.
func (st *Stream) Reset(code Code) error {
	return st.changeState(func() {
		st.resetLocked(code)
	})
}

// changeState changes the stream's state under the lock.
func (st *Stream) changeState(change func()) error {
	s := st.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.closed {
		return net.ErrClosed
	}
	change()
	s.releaseStream(st)
	st.wakeAllWaiters()
	return nil
}

func (st *Stream) endWrites() {
	if st.ended {
		return
	}
	st.ended = true
	st.session.queueControlFrame(st, sendEnd)
}

func (st *Stream) stopReads(code Code) {
	if st.readClosed {
		return
	}
	st.readClosed = true
	st.stopCode = code
	st.received.clearAll(&st.session.spare)
	st.setReceiveWindow(initialWindow) // what still comes is dropped
	if !st.peerEnded {
		st.session.queueControlFrame(st, sendStop)
	}
}

func (st *Stream) resetLocked(code Code) {
	st.resetCode = code
	st.received.clearAll(&st.session.spare)
	st.setReceiveWindow(initialWindow)
	switch {
	case st.control&sendOpen != 0: // the peer has not heard of it
		st.control = 0
	case !st.own && !st.accepted && !st.gone:
		st.refuseCode = RefuseGoingAway
		st.session.queueControlFrame(st, sendRefuse)
	case !st.gone && !(st.ended && st.peerEnded):
		st.session.queueControlFrame(st, sendReset)
	}
	st.ended, st.readClosed, st.closed, st.gone = true, true, true, true
	st.session.releaseStream(st)
	st.wakeAllWaiters()
}

// OnAbort has f called once, in its own goroutine, when the peer resets or
// refuses the stream, Drain cuts it or the session dies; at once if that has
// happened. It
// is for owners that are busy elsewhere and not in Read or Write. A nil f
// takes the call back.
func (st *Stream) OnAbort(f func()) {
	s := st.session
	s.mu.Lock()
	defer s.mu.Unlock()
	st.onAbort = f
	if st.peerErr != nil || st.gone || s.err != nil && !s.left {
		st.notifyAborted()
	}
}

// OnStop has f called once, in its own goroutine, when the peer reads no more; at once if
// that has happened. It is for owners that have nothing to write just now. A nil f takes
// the call back.
func (st *Stream) OnStop(f func()) {
	s := st.session
	s.mu.Lock()
	defer s.mu.Unlock()
	st.onStop = f
	if st.stopErr != nil {
		st.notifyStop()
	}
}

// Park takes the place of a Read that would wait: it has wake called once, in its own goroutine, as
// soon as there is something to read or the stream has come to any end. It tells whether it does
// so; if not, Read does not wait. A read deadline does not wake it.
func (st *Stream) Park(wake func()) bool {
	s := st.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.readLocalErr() != nil || st.received.length > 0 || st.readEndLocked() != nil {
		return false
	}
	st.parked = wake
	return true
}

// wakeReader is called with the lock when Read has something to tell.
func (st *Stream) wakeReader() {
	st.readable.Broadcast()
	if st.parked != nil {
		go st.parked()
		st.parked = nil
	}
}

func (st *Stream) notifyStop() {
	if st.onStop != nil {
		go st.onStop()
		st.onStop = nil
	}
}

// isOver tells that no frame of it matters any more.
func (st *Stream) isOver() bool { return st.gone || st.ended && st.peerEnded }

func (st *Stream) notifyAborted() {
	if st.onAbort != nil {
		go st.onAbort()
		st.onAbort = nil
	}
	st.wakeAllWaiters()
}

func (st *Stream) wakeAllWaiters() {
	st.wakeReader()
	st.writable.Broadcast()
}

// LocalAddr and RemoteAddr name the link.
func (st *Stream) LocalAddr() net.Addr { return addr(st.link) }

// RemoteAddr is the same as LocalAddr.
func (st *Stream) RemoteAddr() net.Addr { return addr(st.link) }

type addr string

func (addr) Network() string  { return "mux" }
func (a addr) String() string { return string(a) }
