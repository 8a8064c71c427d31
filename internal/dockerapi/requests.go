package dockerapi

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync/atomic"
)

const (
	// MaxBody is how long a body may be that is held to be changed. Real ones have
	// some KiB.
	MaxBody = 4 << 20
	// maxHeld is what all requests of a Held may hold together.
	maxHeld = 64 << 20
	// freeHeld is what each connection may hold besides.
	freeHeld = 4 << 10
)

// Held counts what is held of all connections, so that many clients can't make
// one program hold many times MaxBody. The zero value is ready.
type Held struct{ bytes atomic.Int64 }

// Why a creation can't be held and changed.
var (
	ErrTooLong   = errors.New("the request is too long to be held")
	ErrTooMuch   = errors.New("too much of other requests is held")
	ErrMalformed = errors.New("the request is no sound HTTP")
	ErrCutShort  = errors.New("the request ends before its end")
	ErrExpects   = errors.New("the request expects something unknown")
)

// Requests is the way of one connection's requests: what is written comes out as it is, but for
// the bodies of creations, which Edit may change. What net/http's server understands is understood;
// what is no HTTP, and all that follows a change of protocol, passes as it is.
//
// A creation is held until it is whole, and all that was asked before it is answered: only the
// answers tell whether it is a request. The heads of other requests pass as they come, and their bodies by
// count: their bytes are the same, whatever they mean. It is not safe for concurrent use.
type Requests struct {
	Out func([]byte) error // gets the bytes, which are not its own
	// Answers are those of the same connection. Nil has nothing waited for.
	Answers *Answers
	// Await waits for them, as Answers.Await does. It may be nil.
	Await func() (http bool, err error)
	// Edit gives the body to send in place of a creation's. Nil leaves it as it is. An error ends
	// the connection's requests, and this one is not sent. Without Edit nothing is held.
	Edit func(Creation, []byte) ([]byte, error)
	// Unheld is asked about a creation that can't be held, and why. It passes as it is, or an error ends
	// the connection's requests.
	Unheld func(Creation, error) error
	// Continue sends 100 Continue to the client.
	Continue func() error
	// Odd is told of what passes as it is since it is no HTTP, though the protocol has not changed.
	Odd func()
	// Seen is told the first line of each request; nil is told nothing.
	Seen func(line []byte)
	Held *Held

	stage stage
	head  headReader
	minor byte
	body  framing
	odd   bool // what passes is no HTTP, and Odd is to be told unless the protocol has changed

	// Of a creation, or what may be one.
	what      Creation
	held      []byte // as far as it has come
	headLen   int    // of held
	framed    head
	continued bool // its client has got 100 Continue
	counted   int  // of what is held, in Held
}

// stage is where a connection's requests are.
type stage int

const (
	betweenRequests stage = iota
	firstLine
	headPasses
	bodyPasses
	creationHead
	creationBody
	passesRaw // nothing is looked at any more
)

// Write takes what the client says. The error is one of Out, Edit, Unheld, Continue or Await.
func (r *Requests) Write(b []byte) error {
	if r.stage != passesRaw && r.Answers != nil && r.Answers.HasEnded() {
		if err := r.releaseHeld(); err != nil {
			return err
		}
	}
	p := piece{Requests: r, b: b}
	for p.at < len(b) {
		if err := p.nextStep(); err != nil {
			return err
		}
	}
	err := p.flushHeld()
	r.tellOdd(false)
	return err
}

// EndRequests is the end of what the client says.
func (r *Requests) EndRequests() error {
	defer r.tellOdd(false)
	if r.stage == creationBody {
		return r.passUnheld(ErrCutShort)
	}
	return r.releaseHeld()
}

// ForgetHeld forgets what is held, when the answers have ended as well.
func (r *Requests) ForgetHeld() {
	r.tellOdd(true)
	r.held = nil
	r.countHeld(0)
}

// releaseHeld lets out what is held and looks at nothing any more.
func (r *Requests) releaseHeld() error {
	held := r.held
	r.held, r.stage = nil, passesRaw
	r.odd = r.odd || r.Answers != nil && r.Answers.IsOdd()
	r.head, r.body = headReader{}, framing{}
	r.countHeld(0)
	if len(held) == 0 {
		return nil
	}
	return r.Out(held)
}

// tellOdd tells of what is no HTTP, once it is clear that the protocol has not changed.
func (r *Requests) tellOdd(end bool) {
	if !r.odd {
		return
	}
	http, settled := true, true
	if r.Answers != nil {
		http, settled = r.Answers.httpState()
	}
	if settled || end {
		r.odd = false
		if http && r.Odd != nil {
			r.Odd()
		}
	}
}

// countHeld notes how much is held, or tells that it is too much.
func (r *Requests) countHeld(n int) bool {
	if r.Held == nil {
		return true
	}
	if n <= freeHeld {
		n = 0
	}
	more := int64(n - r.counted)
	if total := r.Held.bytes.Add(more); more > 0 && total > maxHeld {
		r.Held.bytes.Add(-more)
		return false
	}
	r.counted = n
	return true
}

// passUnheld is for a creation that can't be held any longer: it goes on as it is, or not at all.
func (r *Requests) passUnheld(why error) error {
	if err := r.Unheld(r.what, why); err != nil {
		return err
	}
	r.noteRequest(http.MethodPost)
	r.stage = bodyPasses
	if r.body.isWhole() {
		r.stage = betweenRequests
	}
	if why == ErrMalformed || why == ErrCutShort {
		r.stage, r.odd = passesRaw, why == ErrMalformed
	}
	held := r.heldToSend()
	r.held = nil
	r.countHeld(0)
	return r.Out(held)
}

func (r *Requests) noteRequest(method string) {
	if r.Answers != nil {
		r.Answers.NoteRequest(method)
	}
}

// heldToSend is what is held as it is to be sent: a client that has got 100 Continue gets no second one.
func (r *Requests) heldToSend() []byte {
	if !r.continued {
		return r.held
	}
	return append(withField(r.held[:r.headLen], "expect", ""), r.held[r.headLen:]...)
}

// piece is what has come.
type piece struct {
	*Requests
	b    []byte
	gone int // b[:gone] is sent, or held
	at   int // b[gone:at] is to be sent
}

func (p *piece) nextStep() error {
	b := p.b[p.at:]
	switch p.stage {
	case betweenRequests: // empty lines in front of a request are none to net/http's server, behind a POST
		n := len(b) - len(bytes.TrimLeft(b, "\r\n"))
		if p.at += n; n < len(b) {
			p.head.resetHead()
			p.stage = firstLine
		}
	case firstLine:
		return p.firstLine(b)
	case headPasses:
		n, line, whole := p.head.nextLine(b)
		if p.at += n; whole && len(line) == 0 {
			p.headEnds()
		}
	case bodyPasses:
		n, good := p.body.skipBody(b)
		p.at += n
		p.bodyPassed(good)
	case creationHead:
		return p.creationHead(b)
	case creationBody:
		return p.creationBody(b)
	default:
		p.at = len(p.b)
	}
	return nil
}

func (p *piece) flushHeld() error {
	if p.gone >= p.at {
		return nil
	}
	b := p.b[p.gone:p.at]
	p.gone = p.at
	return p.Out(b)
}

// holdNext holds what is next. It has to be sent before.
func (p *piece) holdNext(n int) (room bool) {
	p.held = append(p.held, p.b[p.at:p.at+n]...)
	p.at += n
	p.gone = p.at
	return p.countHeld(len(p.held))
}

// awaitSettled waits until it is clear whether what comes next is a request.
func (p *piece) awaitSettled() (http bool, err error) {
	if err := p.flushHeld(); err != nil || p.Answers == nil {
		return err == nil, err
	}
	http, changed, err := p.Answers.settledState()
	switch {
	case changed == nil:
		return http, err
	case p.Await == nil:
		return p.Answers.AwaitAnswers(context.Background())
	}
	return p.Await()
}

func (p *piece) firstLine(b []byte) error {
	n, line, whole := p.head.nextLine(b)
	if !whole {
		return p.partOfFirstLine(n)
	}
	p.countHeld(len(p.held))
	method, target, minor, good := requestLine(line)
	if !good {
		return p.notHTTP(n)
	}
	p.minor = minor
	if what := creationOf(method, target); what != "" && p.Edit != nil {
		return p.beginCreation(what, n, line)
	}
	p.noteRequest(method)
	p.tellSeen(line)
	p.stage = headPasses
	return p.passNext(n)
}

func (p *piece) tellSeen(line []byte) {
	if p.Seen != nil {
		p.Seen(line)
	}
}

// notHTTP has what comes pass as it is. An engine that takes it for HTTP ends the connection.
func (p *piece) notHTTP(n int) error {
	p.odd, p.stage = true, passesRaw
	err := p.passNext(n)
	p.head = headReader{}
	return err
}

// passNext sends what is next behind what was held of the same line.
func (p *piece) passNext(n int) error {
	if held := p.held; len(held) > 0 {
		p.held = nil
		p.countHeld(0)
		if err := p.Out(held); err != nil {
			return err
		}
	}
	p.at += n
	return nil
}

// partOfFirstLine passes one that is no creation's: an engine may answer half a request.
func (p *piece) partOfFirstLine(n int) error {
	switch line := p.head.line; {
	case !mayBeRequest(line) || len(line) > maxHead:
		return p.notHTTP(n)
	case !mayCreate(line) || p.Edit == nil:
		err := p.passNext(n)
		if err == nil && !p.countHeld(len(line)) {
			err = ErrTooMuch
		}
		return err
	}
	if http, err := p.awaitSettled(); err != nil || !http {
		return p.passRest(err)
	}
	if !p.holdNext(n) {
		return p.unheldLine()
	}
	return nil
}

// unheldLine gives up a line that may become a creation's.
func (p *piece) unheldLine() error {
	if err := p.Unheld(CreateContainer, ErrTooMuch); err != nil {
		return err
	}
	return p.notHTTP(0)
}

// passRest has all pass as it is, unless err is one.
func (p *piece) passRest(err error) error {
	if err == nil {
		err = p.releaseHeld()
	}
	return err
}

// headEnds finds the body of a request that passes.
func (p *piece) headEnds() {
	h, err := p.head.requestHead(p.minor)
	p.body = h.bodyFraming()
	p.stage = bodyPasses
	p.bodyPassed(err == nil)
}

func (p *piece) bodyPassed(good bool) {
	switch {
	case !good:
		p.odd, p.stage = true, passesRaw
	case p.body.isWhole():
		p.stage = betweenRequests
	}
}
