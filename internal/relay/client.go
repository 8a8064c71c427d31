package relay

import (
	"errors"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockerapi"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
)

// errGivenUp answers what comes for a client, or from it, after it was given up.
var errGivenUp = errors.New("the client was given up")

// GiveUp ends the wait of a client, which is told ErrFrozen, unless it is kept.
func (r *Relay) GiveUp() { r.handleEvent(carrierFreezes) }

// IsKept tells whether the client is not to be given up any more: it has got a piece of its
// answer, or has said more, which may be a request that runs.
func (r *Relay) IsKept() bool {
	s := r.currentState()
	return s.toConn != waiting || s.toStream != waiting
}

// reasonUnanswered is why a client that can be told gets no answer, or nil: it was
// given up, or the other half has refused it. A stream that died in another way
// says nothing of what the engine has done: its client gets a broken connection.
func (r *Relay) reasonUnanswered(err error) (reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var refusal *mux.RefusedError
	switch {
	case r.Tell == nil || !r.state.mayTellClient():
		return nil
	case r.state.toStream == refused:
		return ErrRefused
	case r.state.toConn == refused:
		return r.told
	case r.state.toConn == abandoned:
		return ErrFrozen
	case errors.As(err, &refusal):
		return refusal
	}
	return nil
}

// tellClient gives the client an answer of ours.
func (r *Relay) tellClient(reason error) {
	r.mu.Lock()
	r.told = reason
	r.mu.Unlock()
	r.handleEvent(toConnRefused)
	_ = r.Stream.Close() // it is over, whatever the client does
	r.Tell(reason)
}

// followAnswers follows what has been handed on of the engine's answers.
func (r *Relay) followAnswers(b []byte) {
	for len(b) > 0 {
		n, mark := r.Answers.NextMark(b)
		if b = b[n:]; mark == dockerapi.HTTPEnds {
			break
		}
	}
	r.Answers.NotePassed()
}
