package mux

// maxSendWindow is the most that a peer may allow to be sent on one stream.
const maxSendWindow = 1 << 30

func (s *Session) writeLoop() {
	defer s.loops.Done()
	var out []byte
	for {
		out = s.nextBatch(out)
		if out == nil {
			return
		}
		if _, err := s.carrier.Write(out); err != nil {
			s.failWrites(err)
			return
		}
	}
}

// nextBatch waits until there is something to send and gives it; spare is the
// batch before, for its memory. It gives nil when the session has died.
func (s *Session) nextBatch(spare []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = false
	for s.err == nil && s.hasNothingToSend() {
		s.settled.Broadcast()
		s.work.Wait()
	}
	if s.err != nil {
		return nil
	}
	s.fillBatch()
	batch := s.batch
	s.batch = spare[:0]
	s.writing = true
	return batch
}

// hasNothingToSend tells that nothing waits to be sent.
func (s *Session) hasNothingToSend() bool {
	return len(s.batch) == 0 && s.control.isEmpty() && s.ready.isEmpty() && len(s.refusals) == 0 &&
		!s.pingPending && !s.pongPending && !s.sendGoAway
}

// fillBatch adds to the batch what waits: control frames, then the streams in
// turn, a quantum each.
func (s *Session) fillBatch() {
	s.fillSession()
	for !s.control.isEmpty() && len(s.batch) < batchSize {
		s.sendControlFrames(s.control.popStream())
	}
	for !s.ready.isEmpty() && len(s.batch) < batchSize {
		s.sendStreamTurn(s.ready.popStream())
	}
}

func (s *Session) fillSession() {
	if s.pongPending {
		s.batch = appendUint64Frame(s.batch, framePong, s.pong)
	}
	if s.pingPending {
		s.batch = appendUint64Frame(s.batch, framePing, s.ping)
	}
	if s.sendGoAway {
		s.batch = appendHeader(s.batch, frameGoAway, 0, 0)
	}
	s.pongPending, s.pingPending, s.sendGoAway = false, false, false
	for _, r := range s.refusals {
		s.batch = appendUint16Frame(s.batch, frameRefuse, r.id, uint16(r.code))
	}
	s.refusals = s.refusals[:0]
}

// queueControlFrame has a control frame sent: in the batch that is being filled
// if that has room, else when the writer comes to it. An ACCEPT leaves with whatever is
// next: a write of its own would cost as much as the answer behind it.
func (s *Session) queueControlFrame(st *Stream, frame control) {
	if st.gone {
		return
	}
	st.control |= frame
	if s.sendErrLocked() != nil {
		st.control = 0
		return
	}
	if !st.places[controlList].listed && len(s.batch) < batchSize {
		s.sendControlFrames(st)
	} else {
		s.control.pushStream(st)
	}
	if frame != sendAccept { // nobody waits for it
		s.work.Signal()
	}
}

// sendControlFrames adds all control frames of a stream to the batch.
func (s *Session) sendControlFrames(st *Stream) {
	c := st.control
	st.control = 0
	if c&sendOpen != 0 {
		s.batch = append(appendHeader(s.batch, frameOpen, st.id, len(st.link)), st.link...)
	}
	if c&sendAccept != 0 {
		s.batch = appendHeader(s.batch, frameAccept, st.id, 0)
	}
	if c&sendRefuse != 0 {
		s.batch = appendUint16Frame(s.batch, frameRefuse, st.id, uint16(st.refuseCode))
	}
	if c&sendWindow != 0 && st.grant > 0 {
		s.batch = appendUint32Frame(s.batch, frameWindow, st.id, uint32(st.grant))
		st.credit += st.grant
		st.grant = 0
	}
	if c&sendReclaim != 0 {
		s.batch = appendHeader(s.batch, frameReclaim, st.id, 0)
	}
	if c&sendReturn != 0 && st.unused > 0 {
		s.batch = appendUint32Frame(s.batch, frameReturn, st.id, uint32(st.unused))
		st.unused = 0
	}
	if c&sendStop != 0 {
		s.batch = appendUint32Frame(s.batch, frameStop, st.id, uint32(st.stopCode))
	}
	if c&sendEnd != 0 {
		s.batch = appendHeader(s.batch, frameEnd, st.id, 0)
	}
	if c&sendReset != 0 {
		s.batch = appendUint32Frame(s.batch, frameReset, st.id, uint32(st.resetCode))
	}
	s.releaseStream(st)
}

// sendWithoutDelay puts as much of p into the batch as it takes without overtaking
// anybody, and returns how much that was.
func (s *Session) sendWithoutDelay(st *Stream, p []byte) int {
	sent := 0
	for sent < len(p) && st.sendWindow > 0 && st.control == 0 && s.ready.isEmpty() && len(s.batch) < batchSize {
		sent += s.sendDataFrame(st, p[sent:])
	}
	if sent > 0 {
		s.work.Signal()
	}
	return sent
}

// queueForTurn gives a stream with pending bytes a place among the others.
func (s *Session) queueForTurn(st *Stream) {
	if st.sendWindow > 0 {
		s.ready.pushStream(st)
		s.work.Signal()
	}
}

// sendStreamTurn sends a quantum of a stream's pending bytes.
func (s *Session) sendStreamTurn(st *Stream) {
	if len(st.pending) == 0 || st.sendWindow == 0 || st.writeErrLocked() != nil {
		return
	}
	st.pending = st.pending[s.sendDataFrame(st, st.pending):]
	if len(st.pending) == 0 {
		st.writable.Broadcast()
	} else if st.sendWindow > 0 {
		s.ready.pushStream(st)
	}
}

// sendDataFrame adds one DATA frame to the batch.
func (s *Session) sendDataFrame(st *Stream, p []byte) int {
	n := min(len(p), st.sendWindow, quantum)
	s.batch = append(appendHeader(s.batch, frameData, st.id, n), p[:n]...)
	st.sendWindow -= n
	return n
}

// releaseStream forgets a stream that both sides are through with.
func (s *Session) releaseStream(st *Stream) {
	if !st.closed {
		return
	}
	st.readBy.stopTimer()
	st.writeBy.stopTimer()
	if !st.isOver() || st.control != 0 || s.streams[st.id] != st {
		return
	}
	delete(s.streams, st.id)
	s.control.removeStream(st)
	s.ready.removeStream(st)
	st.setReceiveWindow(initialWindow)
	if st.own {
		s.own--
	} else {
		s.foreign--
	}
	if len(s.streams) == 0 {
		s.settled.Broadcast()
	}
}
