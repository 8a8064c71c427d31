package dockerapi

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
)

// Mark is what stands at a place among the answers of a connection.
type Mark int

// The marks.
const (
	NoMark     Mark = iota
	AnswerEnds      // an answer ends here, and HTTP goes on
	HTTPEnds        // the head ends of an answer behind which no HTTP comes: 101, or a body without a length
)

// Answers follows what an engine answers on a connection. Only the answers tell whether what
// a client says is HTTP: a request can ask for another protocol, and Docker's attach and exec change
// it unasked.
//
// One goroutine may note requests while another one reads answers. The zero value is ready.
type Answers struct {
	head  headReader
	body  framing
	place place
	minor byte // of the version in the head
	ends  bool // HTTP has

	status int
	odd    bool

	mu      sync.Mutex
	asked   []askedKind   // of the requests that are not answered yet, as far as is told
	read    int           // of those, are answered, which is not told yet
	within  bool          // told: an answer has begun
	over    bool          // told: HTTP is
	none    bool          // told: it was none, which ended it
	failed  bool          // told: it ended with the answer to a request that failed, and with the connection
	ended   bool          // nothing more comes
	changed chan struct{} // closed when something was told; nil: nobody waits
}

// place is where the reader is among the answers.
type place int

const (
	between place = iota
	inHead
	inBody
)

// askedKind is the kind of a request, as far as its answer's form depends on it.
type askedKind byte

const (
	plainAsked askedKind = iota
	headAsked
	connectAsked
)

// ErrNoAnswer says that an engine has ended its side of a connection with a request unanswered.
var ErrNoAnswer = errors.New("wait for answers: the engine has ended the connection")

// NoteRequest notes a request, before the engine hears of it.
func (a *Answers) NoteRequest(method string) {
	kind := plainAsked
	switch method {
	case http.MethodHead:
		kind = headAsked
	case http.MethodConnect:
		kind = connectAsked
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over && !a.ended {
		a.asked = append(a.asked, kind)
	}
}

// NextMark reads on to the next mark in b, or to the end of b. Behind HTTPEnds it reads nothing, and finds
// HTTPEnds again.
func (a *Answers) NextMark(b []byte) (n int, at Mark) {
	if a.ends {
		return 0, HTTPEnds
	}
	for n < len(b) {
		used := 0
		switch a.place {
		case between:
			used = len(b[n:]) - len(bytes.TrimLeft(b[n:], "\r\n"))
			if used < len(b[n:]) {
				a.place = inHead
				a.head.most = maxStatusLine
				a.head.resetHead()
			}
		case inHead:
			used, at = a.nextLine(b[n:])
		default:
			used, at = a.nextOfBody(b[n:])
		}
		if n += used; at != NoMark {
			return n, at
		}
	}
	return n, NoMark
}

// Status is that of the answer that ends at the last mark.
func (a *Answers) Status() int { return a.status }

func (a *Answers) nextLine(b []byte) (n int, at Mark) {
	isFirst := !a.head.first
	n, line, whole := a.head.nextLine(b)
	switch {
	case isFirst && !whole && !mayBeStatus(a.head.line):
		a.odd = true
		return n, a.endHTTP()
	case !whole:
		return n, NoMark
	case isFirst:
		if a.status, a.minor = statusLine(line); a.status == 0 {
			a.odd = true
			return n, a.endHTTP()
		}
		return n, NoMark
	case len(line) > 0:
		return n, NoMark
	}
	return n, a.headEnds()
}

const (
	statusStart = "HTTP/1."
	// maxStatusLine is more than is needed of one.
	maxStatusLine = 64
)

func mayBeStatus(b []byte) bool {
	n := min(len(b), len(statusStart))
	return string(b[:n]) == statusStart[:n]
}

// statusLine is the status in "HTTP/1.1 200 OK", or 0 if that is none.
func statusLine(line []byte) (status int, minor byte) {
	rest, found := bytes.CutPrefix(line, []byte(statusStart))
	if !found || len(rest) < 5 || rest[1] != ' ' || len(rest) > 5 && rest[5] != ' ' {
		return 0, 0
	}
	for _, c := range rest[2:5] {
		if c < '0' || c > '9' {
			return 0, 0
		}
		status = status*10 + int(c-'0')
	}
	return status, rest[0]
}

// headEnds finds what comes behind a head.
func (a *Answers) headEnds() Mark {
	if a.status < 200 && a.status != http.StatusSwitchingProtocols {
		a.place = between // of the same request's answers
		return NoMark
	}
	kind := a.takeRequest()
	switch {
	case a.status == http.StatusSwitchingProtocols, kind == connectAsked && a.status < 300:
		return a.endHTTP()
	case kind == headAsked, a.status == http.StatusNoContent, a.status == http.StatusNotModified:
		return a.endAnswer()
	}
	body, endless, err := a.head.answerBody(a.minor)
	switch a.odd = err != nil; {
	case a.odd, endless:
		return a.endHTTP()
	case body.isWhole():
		return a.endAnswer()
	}
	a.body, a.place = body, inBody
	return NoMark
}

// takeRequest takes the request that an answer is to. One that nobody asked for is to none.
func (a *Answers) takeRequest() askedKind {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.read == len(a.asked) {
		return plainAsked
	}
	a.read++
	return a.asked[a.read-1]
}

func (a *Answers) nextOfBody(b []byte) (n int, at Mark) {
	n, good := a.body.skipBody(b)
	switch {
	case !good:
		a.odd = true
		return n, a.endHTTP()
	case a.body.isWhole():
		return n, a.endAnswer()
	}
	return n, NoMark
}

func (a *Answers) endAnswer() Mark {
	a.place = between
	return AnswerEnds
}

func (a *Answers) endHTTP() Mark {
	a.ends = true
	a.head, a.body = headReader{}, framing{}
	return HTTPEnds
}

// NotePassed tells those who wait that what was read has been handed on to the client.
func (a *Answers) NotePassed() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked, a.read = a.asked[a.read:], 0
	a.within, a.over, a.none = a.place != between, a.ends, a.odd
	a.failed = a.ends && a.status >= http.StatusMultipleChoices
	if len(a.asked) == 0 || a.over {
		a.asked = nil
	}
	a.publishLocked()
}

// EndAnswers notes that the engine says no more, or that nobody takes it.
func (a *Answers) EndAnswers() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	a.publishLocked()
}

// publishLocked is called with the lock.
func (a *Answers) publishLocked() {
	if a.changed != nil {
		close(a.changed)
		a.changed = nil
	}
}

// HasEnded tells that HTTP has ended on the connection.
func (a *Answers) HasEnded() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.over
}

// IsOdd tells that HTTP has ended because what came was none.
func (a *Answers) IsOdd() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.none
}

// AwaitAnswers waits until all requests have been answered, and the answers handed on. Then it tells
// whether HTTP goes on. The error is ErrNoAnswer, or the context's cause.
func (a *Answers) AwaitAnswers(ctx context.Context) (http bool, err error) {
	for {
		http, changed, err := a.settledState()
		if changed == nil {
			return http, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// httpState tells whether HTTP goes on, as far as is known, and whether that is all that there is to know.
func (a *Answers) httpState() (http, settled bool) {
	_, changed, _ := a.settledState()
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.over || a.none || a.failed, changed == nil
}

// settledState is what Await tells, or what to wait for.
func (a *Answers) settledState() (http bool, changed <-chan struct{}, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.over:
		return false, nil, nil
	case len(a.asked) == 0 && !a.within:
		return true, nil, nil
	case a.ended:
		return false, nil, ErrNoAnswer
	case a.changed == nil:
		a.changed = make(chan struct{})
	}
	return false, a.changed, nil
}
