package mux

// IncomingStream is a peer's open that waits for an answer. What the peer has sent
// with it is kept meanwhile.
type IncomingStream struct{ stream *Stream }

// Link is the name the peer asks for: 1 to 64 bytes of the peer's choice.
func (o *IncomingStream) Link() string { return o.stream.link }

// ID is the stream's.
func (o *IncomingStream) ID() uint32 { return o.stream.id }

// Accept takes the stream. It may have been reset or lost already; then its
// Read says so.
func (o *IncomingStream) Accept() *Stream {
	s := o.stream.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if !o.stream.gone {
		o.stream.accepted = true
		s.queueControlFrame(o.stream, sendAccept)
	}
	return o.stream
}

// Refuse turns the open down.
func (o *IncomingStream) Refuse(code RefuseCode) {
	st := o.stream
	s := st.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.closed {
		return
	}
	if !st.gone {
		st.refuseCode = code
		s.queueControlFrame(st, sendRefuse)
	}
	st.received.clearAll(&s.spare)
	st.ended, st.readClosed, st.closed, st.gone = true, true, true, true
	s.releaseStream(st)
}
