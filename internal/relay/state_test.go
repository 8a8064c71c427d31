package relay

import (
	"fmt"
	"testing"
)

// What happens to a relay, what it must do each time, and where its directions have come to.
func TestStatesOfARelay(t *testing.T) {
	type steps = []struct {
		event
		want action
	}
	for _, tc := range []struct {
		name             string
		side             Side
		steps            steps
		toStream, toConn direction
	}{
		{"question, answer, both end", Clients, steps{{clientSpeaks, carryOn}, {answerComes, carryOn}, {toStreamEnds, carryOn}, {toConnEnds, carryOn}}, ended, ended},
		{"the client ends before the answer comes", Clients, steps{{toStreamEnds, carryOn}, {answerComes, carryOn}, {toConnEnds, carryOn}}, ended, ended},
		{"a freeze while nothing has come gives the client up", Clients, steps{{carrierFreezes, giveUp}, {toConnRefused, carryOn}, {toStreamFails, carryOn}}, failed, refused},
		{"a client that was given up is not heard", Clients, steps{{carrierFreezes, giveUp}, {clientSpeaks, dropPiece}}, abandoned, abandoned},
		{"a client that was given up gets no other answer", Clients, steps{{carrierFreezes, giveUp}, {answerComes, dropPiece}}, abandoned, abandoned},
		{"a freeze behind the first piece of an answer", Clients, steps{{answerComes, carryOn}, {carrierFreezes, carryOn}}, waiting, open},
		{"a freeze behind a second request", Clients, steps{{clientSpeaks, carryOn}, {carrierFreezes, carryOn}}, open, waiting},
		{"a freeze behind the end of the request", Clients, steps{{toStreamEnds, carryOn}, {carrierFreezes, carryOn}}, ended, waiting},
		{"a second freeze", Clients, steps{{carrierFreezes, giveUp}, {carrierFreezes, carryOn}}, abandoned, abandoned},
		{"a request is refused", Clients, steps{{requestRefused, giveUp}, {toConnRefused, carryOn}, {toStreamFails, carryOn}}, refused, refused},
		{"a request is refused behind answers", Clients, steps{{answerComes, carryOn}, {requestRefused, giveUp}, {streamLost, bound}, {toConnRefused, carryOn}}, refused, refused},
		{"a request is refused when the engine has ended the connection", Clients, steps{{toConnEnds, carryOn}, {requestRefused, refuseMore}, {toStreamFails, carryOn}}, failed, ended},
		{"the other half refuses", Clients, steps{{streamLost, bound}, {toConnRefused, carryOn}, {toStreamFails, carryOn}}, failed, refused},
		{"the stream is lost while an answer is handed on", Clients, steps{{answerComes, carryOn}, {streamLost, bound}, {toConnFails, breakOff}}, waiting, failed},
		{"the stream is lost when the answer was", Clients, steps{{toConnEnds, carryOn}, {streamLost, breakOff}}, waiting, ended},
		{"the stream is lost behind the end of a request", Engines, steps{{toConnEnds, carryOn}, {streamLost, breakOff}}, waiting, ended},
		{"the client is gone", Clients, steps{{answerComes, carryOn}, {toConnFails, carryOn}, {toStreamFails, carryOn}}, failed, failed},
		{"the engine is gone before its answer was handed on", Clients, steps{{answerComes, carryOn}, {engineGone, carryOn}, {toConnEnds, hangUp}}, waiting, ended},
		{"the engine is gone when its answer was handed on", Clients, steps{{toConnEnds, carryOn}, {engineGone, hangUp}, {toStreamEnds, hangUp}}, ended, ended},
		{"the engine is gone, seen from its own side", Engines, steps{{toStreamEnds, carryOn}, {engineGone, carryOn}, {toConnEnds, carryOn}}, ended, ended},
		{"the engine is gone and the client has an answer of ours", Clients, steps{{toConnRefused, carryOn}, {engineGone, carryOn}, {streamLost, bound}}, waiting, refused},
	} {
		s := state{side: tc.side}
		for i, step := range tc.steps {
			if got := s.applyEvent(step.event); got != step.want {
				t.Errorf("%s, step %d: action %d, want %d", tc.name, i, got, step.want)
			}
		}
		if s.toStream != tc.toStream || s.toConn != tc.toConn {
			t.Errorf("%s: directions %d and %d, want %d and %d", tc.name, s.toStream, s.toConn, tc.toStream, tc.toConn)
		}
	}
}

// Whatever happens, and in whatever order: an end is an end, a client gets one kind of answer, and only
// a connection whose answer was handed on is closed or broken off.
func TestAllStatesOfARelay(t *testing.T) {
	reached := map[state]bool{}
	var from func(s state)
	from = func(s state) {
		if reached[s] {
			return
		}
		reached[s] = true
		for e := clientSpeaks; e <= engineGone; e++ {
			if e == toConnRefused && !s.mayTellClient() {
				continue // of those alone
			}
			next := s
			do := next.applyEvent(e)
			at := fmt.Sprintf("%+v, event %d: %+v, action %d", s, e, next, do)
			handedOn := next.toConn == ended || next.toConn == failed
			switch {
			case s.toStream.isOver() && !next.toStream.isOver(), s.toConn.isOver() && !next.toConn.isOver():
				t.Error("what was over goes on:", at)
			case s.toConn == refused && next.toConn != refused, s.toStream == refused && next.toStream != refused:
				t.Error("an answer of ours is taken back:", at)
			case s.toConn != waiting && s.toConn != abandoned && next.toConn == abandoned:
				t.Error("a client is given up in its answer:", at)
			case (do == breakOff || do == hangUp) && !handedOn:
				t.Error("the rest of an answer is lost:", at)
			case do == hangUp && (next.side == Engines || !next.gone), do == breakOff && !next.lost:
				t.Error("closed for no reason:", at)
			case next.lost && handedOn && do == carryOn && (e == toConnEnds || e == toConnFails || e == streamLost):
				t.Error("a lost stream leaves its connection:", at)
			}
			from(next)
		}
	}
	from(state{side: Clients})
	from(state{side: Engines})
	if len(reached) < 50 {
		t.Errorf("%d states", len(reached))
	}
}
