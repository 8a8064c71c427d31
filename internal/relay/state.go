package relay

// direction is how far one direction of a relay has come.
type direction uint8

const (
	waiting   direction = iota // its client could still be told that there is no answer
	open                       // it has carried something that can't be taken back
	ended                      // its writer has ended it, and everything was handed on
	failed                     // its writer or its reader is gone, or broke it off
	refused                    // our own answer takes its place
	abandoned                  // nothing more is carried, and our own answer is to come
)

// isOver tells whether nothing more comes of a direction.
func (d direction) isOver() bool { return d == ended || d == failed || d == refused }

// state is what a relay knows of its two directions, and of what takes both along. Its only changes are those of on.
type state struct {
	side     Side
	toStream direction // from the connection
	toConn   direction // from the stream
	lost     bool      // the stream is, in both directions
	gone     bool      // the engine is, in both directions
}

// event is what happens to a relay.
type event uint8

const (
	clientSpeaks   event = iota // behind its first words
	answerComes                 // a piece of it is to be handed on
	carrierFreezes              // while a client waits that may be given up
	requestRefused              // the client's, by us
	toStreamEnds
	toStreamFails
	toConnEnds
	toConnFails
	toConnRefused // by the other half, or before: the client is told
	streamLost
	engineGone
)

// action is what a relay must do then.
type action uint8

const (
	carryOn    action = iota
	dropPiece         // of a client that was given up, or for it
	giveUp            // the stream, of a client that is told then
	refuseMore        // of a client whose connection the engine has ended by itself
	bound             // the time that what is under way may stand still
	hangUp            // the client's connection: its answer is whole, and its engine gone
	breakOff          // both directions, as failed
)

// applyEvent is the only change of a state.
func (s *state) applyEvent(e event) action {
	switch e {
	case clientSpeaks:
		return carryPiece(&s.toStream)
	case answerComes:
		return carryPiece(&s.toConn)
	case carrierFreezes:
		if s.toStream != waiting || s.toConn != waiting {
			return carryOn
		}
		s.toStream, s.toConn = abandoned, abandoned
		return giveUp
	case requestRefused:
		if s.toConn.isOver() {
			return refuseMore
		}
		s.toStream = refused
		return giveUp
	case toStreamEnds:
		s.toStream = s.toStream.endAs(ended)
	case toStreamFails:
		s.toStream = s.toStream.endAs(failed)
	case toConnEnds:
		s.toConn = s.toConn.endAs(ended)
	case toConnFails:
		s.toConn = s.toConn.endAs(failed)
	case toConnRefused:
		s.toConn = refused
	case streamLost:
		s.lost = true
	case engineGone:
		s.gone = true
	}
	return s.actionAfter(e)
}

// carryPiece notes that a direction has a piece to carry.
func carryPiece(d *direction) action {
	switch *d {
	case abandoned:
		return dropPiece
	case waiting:
		*d = open
	}
	return carryOn
}

// endAs is a direction at its end, which an answer of ours has been before.
func (d direction) endAs(as direction) direction {
	if d == refused {
		return refused
	}
	return as
}

// actionAfter is what both directions and the loss of either end lead to. Whoever has got an answer of ours has got
// all that there is, and ends the connection.
func (s *state) actionAfter(e event) action {
	handedOn := s.toConn == ended || s.toConn == failed
	switch {
	case s.lost && handedOn:
		return breakOff
	case s.gone && handedOn && s.side == Clients:
		return hangUp
	case e == streamLost:
		return bound
	}
	return carryOn
}

// mayTellClient tells whether the client can be given an answer of ours: it has got nothing of another one.
func (s *state) mayTellClient() bool {
	return s.toStream == refused || s.toConn == refused || s.toConn == abandoned || s.toConn == waiting
}

// closedByEngine tells whether an error is nobody's to be told: the engine has closed its connection, and everything
// that it had said before was handed on.
func (s *state) closedByEngine() bool { return s.gone && (s.side == Engines || s.toConn.isOver()) }
