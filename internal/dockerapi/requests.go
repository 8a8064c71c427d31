package dockerapi

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"sync/atomic"
)

const (
	// MaxBody is how long a body may be that is held to be changed. Real ones have
	// some KiB.
	MaxBody = 4 << 20
	// maxHeld is what all requests of a Held may hold together.
	maxHeld = 64 << 20
)

// Held counts what is held of all connections, so that many clients can't make
// one program hold many times MaxBody. The zero value is ready.
type Held struct{ bytes atomic.Int64 }

// Creation is a request that creates something.
type Creation string

// The creations whose bodies name directories of the engine's machine.
const (
	CreateContainer Creation = "containers"
	CreateService   Creation = "services"
)

// Requests is the way of one connection's requests: what is written comes out as it is, but for
// the bodies of creations, which Edit may change. What is not plainly HTTP/1, and all that follows
// a change of protocol, passes as it is.
//
// A creation is held until it is whole; the heads of other requests pass as they come, and their
// bodies by count. It is not safe for concurrent use.
type Requests struct {
	Out func([]byte) error // gets the bytes, which are not its own
	// Edit gives the body to send in place of a creation's. Nil leaves it as it is. An error ends
	// the connection's requests, and this one is not sent.
	Edit func(Creation, []byte) ([]byte, error)
	// Seen is told the first line of each request; nil is told nothing. A line that waits for more
	// may be told again.
	Seen    func(line []byte)
	TooLong func() // is told of a creation that passes as it is for its length
	Held    *Held

	raw     bool    // nothing is looked at any more
	rest    framing // of a body that passes
	held    []byte  // a head, or a creation, as far as it has come
	passed  int     // of it, sent already: a head that is no creation's
	counted int     // of it, in Held
	sent    bool    // the head of what is held has been sent, since its client waits for an answer
}

// errTooMuch ends a connection whose body can neither be held nor passed.
var errTooMuch = errors.New("hold request: too much is held")

// Midway tells whether the head of the request that Edit refused has been sent:
// then the engine waits for its body.
func (r *Requests) Midway() bool { return r.sent }

// Write takes what the client says. The error is one of Out or Edit, or says that
// too much is held.
func (r *Requests) Write(b []byte) error {
	p := piece{Requests: r, b: b}
	if len(r.held) > 0 {
		p.b, p.own, p.gone = append(r.held, b...), true, r.passed
		r.held, r.passed = nil, 0
	}
	err := p.write()
	if r.held == nil {
		r.hold(nil)
	}
	return err
}

// End is the end of what the client says.
func (r *Requests) End() error {
	rest := r.held[r.passed:]
	r.hold(nil)
	if len(rest) == 0 || r.sent { // what was sent wants a body that does not come
		return nil
	}
	r.raw = true
	return r.Out(rest)
}

// Close forgets what is held.
func (r *Requests) Close() { r.hold(nil) }

// hold keeps b, or tells that too much is held.
func (r *Requests) hold(b []byte) bool {
	more := int64(len(b) - r.counted)
	if total := r.Held.bytes.Add(more); more > 0 && total > maxHeld {
		r.Held.bytes.Add(-more)
		return false
	}
	r.held, r.counted = b, len(b)
	return true
}

// piece is what was held, and what has come.
type piece struct {
	*Requests
	b    []byte
	own  bool // b is not the caller's
	gone int  // b[:gone] is sent, or will not be
	at   int  // b[gone:at] is to be sent
}

func (p *piece) write() error {
	for p.at < len(p.b) {
		switch {
		case p.raw:
			p.at = len(p.b)
		case !p.rest.whole():
			n, good := p.rest.skip(p.b[p.at:])
			p.at += n
			p.raw = !good
		default:
			if held, err := p.request(); held || err != nil {
				return err
			}
		}
	}
	return p.flush()
}

func (p *piece) flush() error {
	if p.gone >= p.at {
		return nil
	}
	b := p.b[p.gone:p.at]
	p.gone = p.at
	return p.Out(b)
}

// request looks at one from its beginning.
func (p *piece) request() (held bool, err error) {
	b := p.b[p.at:]
	first, known := firstLine(b)
	n := headEnd(b)
	switch {
	case known && !sound.Match(first), n == 0 && len(b) > maxHead:
		p.raw = true
		return false, nil
	case n == 0:
		held, err = p.waitHead(known && !creation.Match(first) || !known && !mayCreate(b))
		p.raw = !held
		return held, err
	}
	if p.Seen != nil {
		p.Seen(first)
	}
	h, err := readHead(b[:n])
	if err != nil {
		p.raw = true
		return false, nil
	}
	if found := creation.FindSubmatch(first); found != nil {
		return p.creation(Creation(found[1]), h, b[:n])
	}
	p.at += n
	p.rest = h.body()
	return false, nil
}

// waitHead waits for the rest of a head. One that is no creation's passes as far as it has come: an
// engine may answer half a request.
func (p *piece) waitHead(passes bool) (held bool, err error) {
	if passes {
		at := p.at
		p.at = len(p.b)
		err = p.flush()
		p.at = at
	}
	if err == nil {
		held, err = p.wait()
	}
	if passes && held {
		p.passed = len(p.b) - p.at
	}
	return held, err
}

// wait holds what has come of a request, whose rest must come first.
func (p *piece) wait() (held bool, err error) {
	if err := p.flush(); err != nil {
		return false, err
	}
	b := p.b[p.at:]
	if !p.own || p.at > 0 {
		b = bytes.Clone(b)
	}
	return p.hold(b), nil
}

// creation looks at a request with this head, as far as it has come.
func (p *piece) creation(what Creation, h head, text []byte) (held bool, err error) {
	behind := p.b[p.at+len(text):]
	f := h.body()
	n, good := f.skip(behind)
	switch {
	case good && h.length <= MaxBody && n <= MaxBody && !f.whole():
		if held, err = p.waitBody(h, text); held || err != nil {
			return held, err
		}
	case good && h.length <= MaxBody && n <= MaxBody:
		return false, p.finish(what, h, text, behind[:n])
	}
	// It passes as it is.
	p.at += len(text)
	if p.sent {
		p.gone, p.sent = p.at, false
	}
	if p.rest, p.raw = h.body(), !good; good {
		p.TooLong()
	}
	return false, nil
}

// waitBody waits for the rest of a creation. A client that waits for the engine's word first
// gets it: the engine hears the head, whose length is not known yet.
func (p *piece) waitBody(h head, text []byte) (held bool, err error) {
	if h.expects && !p.sent {
		if err := p.flush(); err != nil {
			return false, err
		}
		p.sent = true
		if !h.chunked {
			text = asChunked(text)
		}
		if err := p.Out(text); err != nil {
			return false, err
		}
	}
	held, err = p.wait()
	if err == nil && !held && p.sent && !h.chunked {
		return false, errTooMuch
	}
	return held, err
}

// finish sends a whole creation, changed or not.
func (p *piece) finish(what Creation, h head, text, framed []byte) error {
	var body []byte
	f := h.body()
	f.data = func(b []byte) { body = append(body, b...) }
	f.skip(framed)
	edited, err := p.Edit(what, body)
	if err != nil {
		return cmp.Or(p.flush(), err)
	}
	sent := p.sent
	p.sent = false
	end := p.at + len(text) + len(framed)
	if edited == nil && (!sent || h.chunked) {
		if sent {
			p.gone = p.at + len(text)
		}
		p.at = end
		return nil
	}
	if err := p.flush(); err != nil {
		return err
	}
	p.at, p.gone = end, end
	if edited == nil {
		edited = body
	}
	switch {
	case h.chunked && !sent:
		return p.Out(append(append(bytes.Clone(text), chunk(edited)...), framed[f.tail:]...))
	case h.chunked:
		return p.Out(append(chunk(edited), framed[f.tail:]...))
	case sent:
		return p.Out(append(chunk(edited), "0\r\n\r\n"...))
	}
	return p.Out(append(withLength(text, len(edited)), edited...))
}

// chunk is b as one chunk.
func chunk(b []byte) []byte { return fmt.Appendf(nil, "%x\r\n%s\r\n", len(b), b) }
