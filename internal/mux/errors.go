package mux

import (
	"errors"
	"fmt"
)

// Errors of a session.
var (
	// ErrClosed is the cause of death of a session that this side closed.
	ErrClosed = errors.New("session closed")
	// ErrGoingAway answers Open when either side wants no new streams.
	ErrGoingAway = errors.New("open stream: session is going away")
	// ErrTooManyStreams answers Open when maxStreams of this side live.
	ErrTooManyStreams = errors.New("open stream: too many streams")
)

// Code says why a stream was reset or stopped.
type Code uint32

// The codes of RESET and STOP. A peer may send others.
const (
	CodeClosed   Code = 0 // the reader is gone, nothing went wrong
	CodeAborted  Code = 1 // the connection behind the stream failed
	CodeShutdown Code = 2 // the bridge is stopping
)

func (c Code) String() string {
	switch c {
	case CodeClosed:
		return "closed"
	case CodeAborted:
		return "connection failed"
	case CodeShutdown:
		return "bridge is stopping"
	}
	return fmt.Sprintf("code %d", uint32(c))
}

// RefuseCode says why an open was refused.
type RefuseCode uint16

// The codes of REFUSE. A peer may send others.
const (
	RefuseUnknownLink RefuseCode = 1 // no link of that name
	RefuseLimit       RefuseCode = 2 // too many streams
	RefuseGoingAway   RefuseCode = 3 // no new streams wanted
	RefuseNotFound    RefuseCode = 4 // nobody listens at the endpoint
	RefuseDenied      RefuseCode = 5 // the endpoint does not let us in
	RefuseTimeout     RefuseCode = 6 // the endpoint is busy or silent
	RefuseFailed      RefuseCode = 7 // the dial failed in another way
)

func (c RefuseCode) String() string {
	names := [...]string{
		RefuseUnknownLink: "unknown link", RefuseLimit: "too many streams",
		RefuseGoingAway: "bridge is stopping", RefuseNotFound: "nobody listens",
		RefuseDenied: "access denied", RefuseTimeout: "timed out", RefuseFailed: "dial failed",
	}
	if int(c) < len(names) && names[c] != "" {
		return names[c]
	}
	return fmt.Sprintf("code %d", uint16(c))
}

// RefusedError ends the reads and writes of a stream whose open the peer
// refused.
type RefusedError struct{ Code RefuseCode }

func (e *RefusedError) Error() string { return "stream refused: " + e.Code.String() }

// ResetError ends the reads, after what had arrived, and the writes of a
// stream that the peer reset.
type ResetError struct{ Code Code }

func (e *ResetError) Error() string { return "stream reset by peer: " + e.Code.String() }

// StoppedError ends the writes of a stream whose peer reads no more.
type StoppedError struct{ Code Code }

func (e *StoppedError) Error() string { return "peer stopped reading: " + e.Code.String() }

// LostError ends everything on a session that died.
type LostError struct{ Cause error }

func (e *LostError) Error() string { return "carrier lost: " + e.Cause.Error() }

// Unwrap gives the cause.
func (e *LostError) Unwrap() error { return e.Cause }

// protocolError is a peer's violation of docs/protocol.md.
type protocolError string

func (e protocolError) Error() string { return "protocol violation: " + string(e) }
