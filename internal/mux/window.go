package mux

// A window that has grown is a promise to take so much at any time, so that it counts against the
// session's budget whether or not anything comes. A stream that is idle would keep
// it from all others for as long as it lives, and only its sender knows what it has yet to use: so it is asked
// to return that.

// setReceiveWindow changes the receive window in the session's accounts.
func (st *Stream) setReceiveWindow(n int) {
	s := st.session
	s.extra += n - st.window
	if st.window = n; n == initialWindow {
		s.grown.removeStream(st)
	} else {
		st.markRecentlyUsed()
	}
}

// markRecentlyUsed notes that a grown stream is in use.
func (st *Stream) markRecentlyUsed() {
	s := st.session
	if st.window == initialWindow {
		return
	}
	st.lastData = s.arrived
	if s.grown.tail != st {
		s.grown.removeStream(st)
		s.grown.pushStream(st)
	}
}

// reclaimIdleCredit gets back n bytes of the windows of idle streams, from that which has been idle for longest on: it asks for
// them, and takes those of a stream that has ended. A stream is idle if nothing has come on it while every
// other one had its turn.
func (s *Session) reclaimIdleCredit(n int) {
	turns := uint64(batchSize + quantum*len(s.streams))
	for n > 0 && !s.grown.isEmpty() && s.arrived-s.grown.head.lastData >= turns {
		st := s.grown.popStream() // until something comes on it
		n -= st.window - initialWindow
		if st.peerEnded || st.gone {
			st.forgoCredit(st.credit)
			continue
		}
		s.queueControlFrame(st, sendReclaim)
	}
}

// forgoCredit takes credit from the window, that comes no more or was returned, and what was read and would be given again. What
// has come stays, and the first window.
func (st *Stream) forgoCredit(credit int) {
	spare := st.window - initialWindow
	credit = min(credit, spare)
	consumed := min(st.consumed, spare-credit)
	st.credit -= credit
	st.consumed -= consumed
	st.setReceiveWindow(st.window - credit - consumed)
}

// handleReclaimFrame returns all but the first window, unless it is about to be used: what is under way then tells.
func (st *Stream) handleReclaimFrame() {
	unused := st.sendWindow - initialWindow
	if unused <= 0 || len(st.pending) > 0 || st.ended {
		return
	}
	st.sendWindow -= unused
	st.unused += unused
	st.session.queueControlFrame(st, sendReturn)
}

// handleReturnFrame takes back what the peer does not use, and what it was to be given again.
func (st *Stream) handleReturnFrame(n uint32) error {
	if n == 0 || int64(n) > int64(st.credit-initialWindow) || st.peerEnded {
		return protocolError("RETURN: out of range")
	}
	if st.readClosed { // and has its first window already
		st.credit -= int(n)
		return nil
	}
	st.forgoCredit(int(n))
	return nil
}
