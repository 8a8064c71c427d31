package relay

import (
	"errors"
	"io"
	"sync"
	"time"
)

// A direction that moves little holds little: two buffers of 32 KiB for each
// of 2,000 idle streams would be 128 MiB. So a large buffer is had while bytes
// flow, and given back when none came for parkTime.
const (
	SmallBuffer = 1 << 10
	LargeBuffer = 8 * 4088 // whole frames, see mux's quantum
	parkTime    = time.Second
)

// source is what can be read with a deadline: every net.Conn.
type source interface {
	io.Reader
	SetReadDeadline(time.Time) error
}

// errParked says that a direction goes on when there is something for it.
var errParked = errors.New("parked")

// smallBuffers are had by directions that are not parked.
var smallBuffers = sync.Pool{New: func() any { return new([SmallBuffer]byte) }}

// copyPieces moves bytes until one side fails; exactly one of the errors is set. Before it waits it calls
// park, if that is not nil, and ends with errParked where park has taken over the wait.
func (r *Relay) copyPieces(hand func([]byte) error, src source, park func() bool) (readErr, writeErr error) {
	held := smallBuffers.Get().(*[SmallBuffer]byte)
	small := held[:]
	b := small
	var asked time.Time // when the deadline was set
	defer func() {
		smallBuffers.Put(held)
		if !asked.IsZero() {
			r.setCopyDeadline(src, time.Time{})
			r.Memory.releaseBuffer()
		}
	}()
	for {
		if park != nil && len(b) == SmallBuffer && park() {
			return errParked, nil
		}
		if now := time.Now(); len(b) == LargeBuffer && now.Sub(asked) > parkTime/4 && r.setCopyDeadline(src, now.Add(parkTime)) {
			asked = now
		}
		n, err := src.Read(b)
		if n > 0 { // a zero-byte write would be an end of stream to a pipe
			if writeErr := hand(b[:n]); writeErr != nil {
				return nil, writeErr
			}
		}
		switch {
		case err != nil && !asked.IsZero() && timedOut(err) && r.setCopyDeadline(src, time.Time{}):
			b, asked = small, time.Time{}
			r.Memory.releaseBuffer()
		case err != nil:
			return err, nil
		case n == SmallBuffer && len(b) == SmallBuffer:
			b = make([]byte, LargeBuffer)
		}
	}
}

// timedOut also knows go-winio's own error.
func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// setCopyDeadline sets a deadline of the copy's. A client that is told has another one,
// which is an end.
func (r *Relay) setCopyDeadline(src source, t time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.toConn != refused && src.SetReadDeadline(t) == nil
}
