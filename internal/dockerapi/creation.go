package dockerapi

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// beginCreation begins a creation, of which the first line is there.
func (p *piece) beginCreation(what Creation, n int, line []byte) error {
	line = bytes.Clone(line)
	if http, err := p.awaitSettled(); err != nil || !http {
		return p.passRest(err)
	}
	p.tellSeen(line)
	p.what, p.stage, p.continued = what, creationHead, false
	if !p.holdNext(n) {
		return p.tooMuch()
	}
	return nil
}

func (p *piece) creationHead(b []byte) error {
	n, line, whole := p.head.nextLine(b)
	room := p.holdNext(n)
	switch ends := whole && len(line) == 0; {
	case ends:
		return p.creationHeadEnds(room)
	case !room || p.head.size > maxHead:
		return p.tooMuch()
	}
	return nil
}

func (p *piece) creationHeadEnds(room bool) error {
	h, err := p.head.requestHead(p.minor)
	p.framed, p.body, p.headLen, p.stage = h, h.bodyFraming(), len(p.held), creationBody
	switch {
	case !room:
		return p.passUnheld(ErrTooMuch)
	case err != nil:
		return p.passUnheld(ErrMalformed)
	case h.expect != "" && !h.expectsContinue():
		return p.passUnheld(ErrExpects)
	case h.length > MaxBody:
		return p.passUnheld(ErrTooLong)
	case p.body.isWhole():
		return p.finishCreation()
	case h.expectsContinue() && !h.old && p.at == len(p.b) && p.Continue != nil:
		p.continued = true
		return p.Continue()
	}
	return nil
}

// tooMuch gives up a creation that is held in part. Of a head that is not whole nobody knows what follows.
func (p *piece) tooMuch() error {
	why := ErrTooMuch
	if len(p.held) > MaxBody || p.head.size > maxHead {
		why = ErrTooLong
	}
	if p.stage == creationBody {
		return p.passUnheld(why)
	}
	if err := p.Unheld(p.what, why); err != nil {
		return err
	}
	p.noteRequest(http.MethodPost)
	p.stage = headPasses
	return p.passNext(0)
}

func (p *piece) creationBody(b []byte) error {
	n, good := p.body.skipBody(b)
	room := p.holdNext(n)
	switch {
	case !good:
		return p.passUnheld(ErrMalformed)
	case len(p.held)-p.headLen > MaxBody || !room:
		return p.tooMuch()
	case p.body.isWhole():
		return p.finishCreation()
	}
	return nil
}

// finishCreation sends a whole creation, changed or not.
func (p *piece) finishCreation() error {
	body, tail := p.unframeBody()
	edited, err := p.Edit(p.what, body)
	if err != nil {
		return err
	}
	text := p.heldToSend()
	if edited != nil {
		text = p.requestWithBody(edited, tail)
	}
	p.held, p.stage = nil, betweenRequests
	p.countHeld(0)
	p.noteRequest(http.MethodPost)
	return p.Out(text)
}

// unframeBody is the body that is held, free of chunks, and what ends them: the last one, and a trailer.
func (p *piece) unframeBody() (body, tail []byte) {
	framed := p.held[p.headLen:]
	if !p.framed.chunked {
		return framed, nil
	}
	f := p.framed.bodyFraming()
	f.data = func(b []byte) { body = append(body, b...) }
	f.skipBody(framed)
	return body, framed[f.tail:]
}

// requestWithBody is the request with another body.
func (p *piece) requestWithBody(body, tail []byte) []byte {
	text := p.held[:p.headLen]
	if p.continued {
		text = withField(text, "expect", "")
	}
	if p.framed.chunked {
		text = append(bytes.Clone(text), fmt.Sprintf("%x\r\n", len(body))...)
		return append(append(append(text, body...), "\r\n"...), tail...)
	}
	return append(withField(text, "content-length", "Content-Length: "+strconv.Itoa(len(body))), body...)
}

// withField gives a copy of a head with a line in the place of the first field of this name, and without the
// others of that name. Without any the line comes last. Every other byte stays.
func withField(head []byte, name, line string) []byte {
	out := make([]byte, 0, len(head)+len(line)+2)
	dropping := false
	for l := range bytes.Lines(head) {
		end := l[len(bytes.TrimRight(l, "\r\n")):]
		is, _, _ := bytes.Cut(l, []byte{':'})
		folded := l[0] == ' ' || l[0] == '\t'
		dropping = folded && dropping || strings.EqualFold(string(is), name)
		if line != "" && (dropping || len(end) == len(l)) {
			out = append(append(out, line...), end...)
			line = ""
		}
		if !dropping {
			out = append(out, l...)
		}
	}
	return out
}
