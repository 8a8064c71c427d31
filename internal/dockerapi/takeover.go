package dockerapi

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
)

// Takeover finds the answers of a connection behind whose heads no HTTP comes: 101, and one with a
// body that has no length, such as that of an attach that asked for no upgrade.
//
// It looks at the beginning of each piece that it is given, and follows a head only as far as that
// tells where the next one begins. So a piece of anything else costs one comparison, and the requests
// need not be known: a client that reads all of one answer before it asks again
// gets the next head at the beginning of a piece. Among answers to pipelined requests it misses
// those behind a chunked body, and it takes a body that begins like an answer for one: its user must do no
// harm by either.
//
// The zero value is ready. It is not safe for concurrent use.
type Takeover struct {
	over  bool // the connection carries no HTTP any more
	state takeoverState
	left  int64  // of a body whose length is known, before the next answer
	line  []byte // what has come of a line of a head
	last  answerHead
}

type takeoverState byte

const (
	beforeAnswer takeoverState = iota // behind the bytes that are left
	inStatusLine
	inFields
	inUnknown // in something whose end is not known
)

// answerHead is what matters of the head of an answer.
type answerHead struct {
	status   int
	chunked  bool
	measured bool  // the body has a length
	length   int64 // which is this
	docker   bool  // the body is one of Docker's streams
	upgrade  string
}

const (
	answerStart = "HTTP/1."
	// maxAnswerLine is what is kept of a line. None that matters is longer.
	maxAnswerLine = 1 << 10
)

// FindHeadEnd returns the length of what b holds up to the end of a head behind which no HTTP comes, or 0. Then
// it is to be called with what b holds behind that.
func (t *Takeover) FindHeadEnd(b []byte) int {
	if t.over {
		return 0
	}
	if (t.state == inUnknown || t.left > 0) && mayBeAnswer(b) { // an answer to HEAD has a length and no body
		t.state, t.left = beforeAnswer, 0
	}
	for n := 0; n < len(b); {
		used, ends := t.nextPart(b[n:])
		if n += used; ends {
			return n
		}
	}
	return 0
}

// IsRawStream tells whether what the engine sends now is the raw stream of an attach or exec, or a body without a length:
// it ends with the engine's output, behind which no engine listens. Another protocol, such as the HTTP/2 of a
// build's session, has ends of its own.
func (t *Takeover) IsRawStream() bool {
	switch {
	case t.last.status == http.StatusSwitchingProtocols:
		return t.last.docker || t.last.upgrade == "" || strings.EqualFold(t.last.upgrade, "tcp")
	case t.state == inStatusLine || t.state == inFields:
		return false
	}
	return t.last.isEndless()
}

func mayBeAnswer(b []byte) bool {
	n := min(len(b), len(answerStart))
	return string(b[:n]) == answerStart[:n]
}

// nextPart reads one step further. ends tells whether a head ended that Find looks for.
func (t *Takeover) nextPart(b []byte) (used int, ends bool) {
	switch {
	case t.state == inUnknown:
		return len(b), false
	case t.state != beforeAnswer:
		return t.readLine(b)
	case t.left > 0:
		n := min(t.left, int64(len(b)))
		t.left -= n
		return int(n), false
	case mayBeAnswer(b):
		t.state, t.last = inStatusLine, answerHead{}
	default:
		t.state = inUnknown
	}
	return 0, false
}

func (t *Takeover) readLine(b []byte) (used int, ends bool) {
	line, _, whole := bytes.Cut(b, []byte{'\n'})
	used = len(line)
	if !whole || len(t.line) > 0 {
		t.line = append(t.line, line[:min(len(line), maxAnswerLine-len(t.line))]...)
		line = t.line
	}
	if !whole {
		if t.state == inStatusLine && !mayBeAnswer(line) {
			t.leaveHead(inUnknown)
		}
		return used, false
	}
	t.line = t.line[:0]
	return used + 1, t.takeLine(bytes.TrimSuffix(line, []byte{'\r'}))
}

func (t *Takeover) takeLine(line []byte) (ends bool) {
	switch {
	case t.state == inStatusLine:
		t.last.status = answerStatus(line)
		t.state = inFields
		if t.last.status == 0 {
			t.leaveHead(inUnknown)
		}
	case len(line) == 0:
		return t.headEnds()
	default:
		t.last.takeField(line)
	}
	return false
}

// answerStatus is the status in a line such as "HTTP/1.1 200 OK", or 0.
func answerStatus(line []byte) int {
	const digits = len(answerStart) + len("1 ")
	if !bytes.HasPrefix(line, []byte(answerStart)) || len(line) < digits+3 || line[digits-1] != ' ' {
		return 0
	}
	status, err := strconv.ParseUint(string(line[digits:digits+3]), 10, 16)
	if err != nil || status < 100 {
		return 0
	}
	return int(status)
}

func (h *answerHead) takeField(line []byte) {
	name, rest, _ := bytes.Cut(line, []byte{':'})
	value := strings.Trim(string(rest), " \t")
	switch strings.ToLower(string(name)) {
	case "content-length":
		n, err := strconv.ParseUint(value, 10, 63)
		h.measured, h.length = err == nil, int64(n)
	case "transfer-encoding":
		h.chunked = h.chunked || strings.Contains(strings.ToLower(value), "chunked")
	case "content-type":
		kind, _, _ := strings.Cut(strings.ToLower(value), ";")
		kind = strings.Trim(kind, " \t")
		h.docker = kind == "application/vnd.docker.raw-stream" || kind == "application/vnd.docker.multiplexed-stream"
	case "upgrade":
		h.upgrade = value
	}
}

// isEndless tells whether there is a body that ends with the connection.
func (h *answerHead) isEndless() bool {
	return h.status >= 200 && h.status != http.StatusNoContent && h.status != http.StatusNotModified && !h.chunked && !h.measured
}

func (t *Takeover) headEnds() (ends bool) {
	h := t.last
	switch {
	case h.status == http.StatusSwitchingProtocols:
		t.over = true
		t.leaveHead(inUnknown)
	case h.isEndless():
		t.over = h.docker // else it may be an answer to HEAD
		t.leaveHead(inUnknown)
	case h.chunked && h.status >= 200:
		t.leaveHead(inUnknown)
		return false
	default: // and behind an answer like 100, that to the same request
		t.leaveHead(beforeAnswer)
		if h.status >= 200 && h.status != http.StatusNoContent && h.status != http.StatusNotModified {
			t.left = h.length
		}
		return false
	}
	return true
}

// leaveHead ends the reading of a head.
func (t *Takeover) leaveHead(to takeoverState) { t.state, t.line = to, nil }
