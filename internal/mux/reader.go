package mux

import (
	"bufio"
	"encoding/binary"
	"io"
	"time"
)

// readBuffer holds any frame whole, and what one read of a pipe gives.
const readBuffer = 64 << 10

func (s *Session) readLoop() {
	defer s.loops.Done()
	r := bufio.NewReaderSize(listening{s}, readBuffer)
	for {
		if err := s.readFrame(r); err != nil {
			s.failSession(err)
			return
		}
	}
}

// listening is the carrier's reading side, noting when it was heard.
type listening struct{ session *Session }

func (l listening) Read(b []byte) (int, error) {
	n, err := l.session.carrier.Read(b)
	if n > 0 {
		l.session.heard.Store(int64(time.Since(l.session.began)))
	}
	return n, err
}

func (s *Session) readFrame(r *bufio.Reader) error {
	b, err := r.Peek(headerSize)
	if err != nil {
		return lossOfCarrier(err)
	}
	h, err := parseHeader(b)
	if err != nil {
		return err
	}
	b, err = r.Peek(headerSize + h.length)
	if err != nil {
		return lossOfCarrier(err)
	}
	if err := s.dispatchFrame(h, b[headerSize:]); err != nil {
		return err
	}
	_, err = r.Discard(headerSize + h.length)
	return err
}

// lossOfCarrier keeps the end of the carrier apart from the end of a stream.
func lossOfCarrier(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// dispatchFrame handles one frame whose header has been checked. A frame for a
// stream that is not there is ignored: the peer sent it before it knew.
func (s *Session) dispatchFrame(h header, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch h.typ {
	case frameOpen:
		return s.handleOpenFrame(h.id, string(payload))
	case framePing:
		s.pong = max(s.pong, binary.BigEndian.Uint64(payload))
		s.pongPending = true
		s.work.Signal()
		return nil
	case framePong:
		s.handlePongFrame(binary.BigEndian.Uint64(payload))
		return nil
	case frameGoAway:
		if !s.peerGoAway {
			s.peerGoAway = true
			close(s.leaving)
		}
		return nil
	}
	st := s.streams[h.id]
	if st == nil || st.gone {
		return nil
	}
	return s.onStreamFrame(st, h.typ, payload)
}

func (s *Session) onStreamFrame(st *Stream, t frameType, payload []byte) error {
	if isAnswer := t == frameAccept || t == frameRefuse; isAnswer != (st.own && !st.accepted) {
		return protocolError(shapes[t].name + ": out of order")
	}
	switch t {
	case frameAccept:
		st.accepted = true
	case frameRefuse:
		st.endedByPeer(&RefusedError{RefuseCode(binary.BigEndian.Uint16(payload))})
	case frameData:
		return st.handleDataFrame(payload)
	case frameEnd:
		if st.peerEnded {
			return protocolError("END twice")
		}
		st.peerEnded = true
		st.wakeReader()
		s.releaseStream(st)
	case frameStop:
		if st.stopErr == nil {
			st.stopErr = &StoppedError{Code(binary.BigEndian.Uint32(payload))}
		}
		st.notifyStop()
		st.writable.Broadcast()
	case frameReset:
		st.endedByPeer(&ResetError{Code(binary.BigEndian.Uint32(payload))})
	case frameWindow:
		return st.handleWindowFrame(binary.BigEndian.Uint32(payload))
	case frameReclaim:
		st.handleReclaimFrame()
	case frameReturn:
		return st.handleReturnFrame(binary.BigEndian.Uint32(payload))
	}
	return nil
}

func (s *Session) handleOpenFrame(id uint32, link string) error {
	if id&1 == uint32(s.side) {
		return protocolError("OPEN: stream id of the other side")
	}
	if !validLink(link) {
		return protocolError("OPEN: link name")
	}
	if _, taken := s.streams[id]; taken {
		return protocolError("OPEN: stream id in use")
	}
	switch {
	case s.saidGoAway:
		return s.refuseOpen(id, RefuseGoingAway)
	case s.foreign >= maxStreams:
		return s.refuseOpen(id, RefuseLimit)
	}
	st := newStream(s, id, link)
	s.foreign++
	s.streams[id] = st
	s.offers = append(s.offers, &IncomingStream{st})
	s.offered.Signal()
	return nil
}

// refuseOpen turns down an open for which there is no stream.
func (s *Session) refuseOpen(id uint32, code RefuseCode) error {
	if len(s.refusals) >= maxRefusals {
		return protocolError("more opens than answers are read")
	}
	s.refusals = append(s.refusals, refusal{id, code})
	s.work.Signal()
	return nil
}

// handlePongFrame answers every ping up to n: pongs are not kept apart, so that a peer
// that pings without reading costs nothing.
func (s *Session) handlePongFrame(n uint64) {
	for k, answer := range s.pings {
		if k <= n {
			close(answer)
			delete(s.pings, k)
		}
	}
}

func (st *Stream) handleDataFrame(p []byte) error {
	switch {
	case st.peerEnded:
		return protocolError("DATA after END")
	case len(p) > st.credit:
		return protocolError("DATA beyond the window")
	}
	st.credit -= len(p)
	st.session.arrived += uint64(len(p))
	if st.readClosed {
		return nil
	}
	st.markRecentlyUsed()
	st.received.appendBytes(p, &st.session.spare)
	st.wakeReader()
	return nil
}

func (st *Stream) handleWindowFrame(n uint32) error {
	if n == 0 || n > maxSendWindow-uint32(st.sendWindow) {
		return protocolError("WINDOW: out of range")
	}
	st.sendWindow += int(n)
	if len(st.pending) > 0 {
		st.session.queueForTurn(st)
	}
	return nil
}

// endedByPeer notes that the peer reset or refused the stream.
func (st *Stream) endedByPeer(err error) {
	st.peerErr = err
	st.gone = true
	st.control = 0
	st.session.releaseStream(st)
	st.notifyAborted()
}
