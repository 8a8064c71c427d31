package mux

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

// example is a line of docs/protocol.md: bytes and what they say.
type example struct {
	from  string // "a" or "h" in a conversation
	bytes []byte
	says  string
}

// examples reads a block of docs/protocol.md.
func examples(t *testing.T, block string) []example {
	t.Helper()
	doc, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```hex "+block+"\n")
	text, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatalf("docs/protocol.md has no block %q", block)
	}
	var all []example
	for line := range strings.Lines(text) {
		var e example
		fields := strings.Fields(line)
		if fields[0] == "a" || fields[0] == "h" {
			e.from, fields = fields[0], fields[1:]
		}
		for len(fields) > 0 {
			b, err := hex.DecodeString(fields[0])
			if err != nil || len(b) != 1 {
				break
			}
			e.bytes, fields = append(e.bytes, b[0]), fields[1:]
		}
		e.says = strings.Join(fields, " ")
		all = append(all, e)
	}
	return all
}

// describe says what a frame says, in the words of docs/protocol.md.
func describe(h header, p []byte) string {
	text := shapes[h.typ].name
	if !shapes[h.typ].forSession {
		text += fmt.Sprintf(" stream %d", h.id)
	}
	switch h.typ {
	case frameOpen:
		text += " link " + string(p)
	case frameData:
		text += " " + string(p)
	case frameRefuse:
		text += fmt.Sprintf(" reason %d", binary.BigEndian.Uint16(p))
	case frameStop, frameReset:
		text += fmt.Sprintf(" code %d", binary.BigEndian.Uint32(p))
	case frameWindow:
		text += fmt.Sprintf(" %d", binary.BigEndian.Uint32(p))
	case framePing, framePong:
		text += fmt.Sprintf(" %d", binary.BigEndian.Uint64(p))
	}
	return text
}

func TestDocumentedFrames(t *testing.T) {
	seen := map[frameType]bool{}
	for _, e := range examples(t, "frames") {
		h, err := parseHeader(e.bytes)
		if err != nil {
			t.Errorf("%s: %v", e.says, err)
			continue
		}
		p := e.bytes[headerSize:]
		if len(p) != h.length {
			t.Errorf("%s: the header says %d bytes, %d follow", e.says, h.length, len(p))
		}
		if got := describe(h, p); got != e.says {
			t.Errorf("documented as %q, is %q", e.says, got)
		}
		if again := append(appendHeader(nil, h.typ, h.id, h.length), p...); !bytes.Equal(again, e.bytes) {
			t.Errorf("%s: encoded as % x", e.says, again)
		}
		seen[h.typ] = true
	}
	for typ := range shapes {
		if typ > 0 && !seen[frameType(typ)] {
			t.Errorf("%s has no example", shapes[typ].name)
		}
	}
}

// raw is a peer that speaks bytes.
type raw struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func rawPeer(t *testing.T, side Side) (*Session, raw) {
	a, b := net.Pipe()
	s := New(a, side)
	t.Cleanup(func() { b.Close(); s.Close() })
	return s, raw{t, b, bufio.NewReader(b)}
}

func (r raw) send(p []byte) {
	r.t.Helper()
	if _, err := r.Write(p); err != nil {
		r.t.Fatal(err)
	}
}

// next reads one frame and says what it is.
func (r raw) next() string {
	r.t.Helper()
	b := make([]byte, headerSize)
	if _, err := io.ReadFull(r.r, b); err != nil {
		r.t.Fatal(err)
	}
	h, err := parseHeader(b)
	if err != nil {
		r.t.Fatal(err)
	}
	p := make([]byte, h.length)
	if _, err := io.ReadFull(r.r, p); err != nil {
		r.t.Fatal(err)
	}
	return describe(h, p)
}

// playConversation speaks the lines of the other party, and wants those of self.
func playConversation(t *testing.T, lines []example, peer raw, self string) {
	go func() {
		for _, e := range lines {
			if e.from != self {
				peer.Write(e.bytes)
			}
		}
	}()
	for _, e := range lines {
		if e.from != self {
			continue
		}
		if got := peer.next(); got != e.says {
			t.Errorf("got %q, documented as %q", got, e.says)
		}
	}
}

// The documented conversation of a reverse link likewise: the engine closes its whole connection.
func TestDocumentedReverseConversation(t *testing.T) {
	lines := examples(t, "reverse")
	t.Run("Host", func(t *testing.T) {
		s, peer := rawPeer(t, Host)
		st, err := s.Open("linux")
		if err != nil {
			t.Fatal(err)
		}
		stopped := make(chan struct{})
		st.OnStop(func() { close(stopped) })
		go func() {
			st.Write([]byte("GET"))
			<-stopped
			st.CloseWrite()
		}()
		playConversation(t, lines[:2], peer, "h") // or a STOP would be quicker than the question
		playConversation(t, lines[2:], peer, "h")
		if got, err := io.ReadAll(st); err != nil || string(got) != "OK" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("Agent", func(t *testing.T) {
		s, peer := rawPeer(t, Agent)
		go func() {
			offer, err := s.Accept()
			if err != nil {
				return
			}
			st := offer.Accept()
			if _, err := io.ReadFull(st, make([]byte, 3)); err != nil {
				t.Error(err)
			}
			st.Write([]byte("OK"))
			st.CloseRead(CodeClosed)
			st.CloseWrite()
		}()
		playConversation(t, lines[:6], peer, "a") // who has ended is told nothing of a reader
	})
}

// The documented conversation, against a real host and a real agent in turn.
func TestDocumentedConversation(t *testing.T) {
	lines := examples(t, "conversation")
	play := func(t *testing.T, _ *Session, peer raw, self string) { playConversation(t, lines, peer, self) }
	t.Run("Agent", func(t *testing.T) {
		s, peer := rawPeer(t, Agent)
		st, err := s.Open("docker")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			st.Write([]byte("GET"))
			st.CloseWrite()
		}()
		play(t, s, peer, "a")
		if got, err := io.ReadAll(st); err != nil || string(got) != "OK" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("Host", func(t *testing.T) {
		s, peer := rawPeer(t, Host)
		go func() {
			offer, err := s.Accept()
			if err != nil {
				return
			}
			st := offer.Accept()
			if got, err := io.ReadAll(st); err != nil || string(got) != "GET" {
				t.Errorf("got %q, %v", got, err)
			}
			st.Write([]byte("OK"))
			st.CloseWrite()
		}()
		play(t, s, peer, "h")
	})
}

// Everything that docs/protocol.md calls a violation ends the session.
func TestViolations(t *testing.T) {
	open := append(appendHeader(nil, frameOpen, 1, 1), 'x')
	data := append(appendHeader(nil, frameData, 1, 1), 'x')
	end := appendHeader(nil, frameEnd, 1, 0)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	beyond := open
	for range initialWindow/maxData + 1 {
		beyond = append(appendHeader(beyond, frameData, 1, maxData), make([]byte, maxData)...)
	}
	for name, sent := range map[string][]byte{
		"unknown type":              {99, 0, 0, 0, 0, 0, 0, 1},
		"type zero":                 make([]byte, 8),
		"second byte":               {byte(frameEnd), 1, 0, 0, 0, 0, 0, 1},
		"length too small":          appendHeader(nil, frameData, 1, 0),
		"length too large":          appendHeader(nil, frameData, 1, maxData+1),
		"session frame with stream": append(appendHeader(nil, framePing, 1, 8), make([]byte, 8)...),
		"stream frame without":      appendHeader(nil, frameEnd, 0, 0),
		"open with our parity":      append(appendHeader(nil, frameOpen, 2, 1), 'x'),
		"open of a live stream":     join(open, open),
		"link name":                 append(appendHeader(nil, frameOpen, 1, 1), 0x1b),
		"data after end":            join(open, end, data),
		"end twice":                 join(open, end, end),
		"data beyond the window":    beyond,
		"window of zero":            join(open, appendUint32Frame(nil, frameWindow, 1, 0)),
		"window too large":          join(open, appendUint32Frame(nil, frameWindow, 1, 1<<30)),
		"return of nothing":         join(open, appendUint32Frame(nil, frameReturn, 1, 0)),
		"return of the first bytes": join(open, appendUint32Frame(nil, frameReturn, 1, 1)),
		"return of too much":        join(open, appendUint32Frame(nil, frameReturn, 1, 1<<31)),
		"return behind the end":     join(open, end, appendUint32Frame(nil, frameReturn, 1, 1)),
		"accept by the opener":      join(open, appendHeader(nil, frameAccept, 1, 0)),
	} {
		t.Run(name, func(t *testing.T) {
			s, peer := rawPeer(t, Host)
			peer.Write(sent) // the session may close before it is through
			<-s.Done()
			var violation protocolError
			if !errors.As(s.Err(), &violation) {
				t.Errorf("session ended with %v", s.Err())
			}
		})
	}
	t.Run("data before accept", func(t *testing.T) {
		s, peer := rawPeer(t, Agent)
		if _, err := s.Open("link"); err != nil {
			t.Fatal(err)
		}
		peer.next()
		peer.Write(data)
		<-s.Done()
	})
}

func TestRefusesStreamsBeyondTheLimit(t *testing.T) {
	s, peer := rawPeer(t, Host)
	answer := make(chan string, 1)
	go func() { answer <- peer.next() }()
	var opens []byte
	for i := range uint32(maxStreams + 1) {
		opens = append(appendHeader(opens, frameOpen, 2*i+1, 1), 'x')
	}
	peer.send(opens)
	if want := fmt.Sprintf("REFUSE stream %d reason 2", 2*maxStreams+1); <-answer != want {
		t.Errorf("want %s", want)
	}
	if n := s.CountStreams(); n != maxStreams {
		t.Errorf("%d streams", n)
	}
}

// A peer that opens without end and reads nothing does not grow the memory.
func TestGivesUpAPeerThatReadsNoRefusals(t *testing.T) {
	s, peer := rawPeer(t, Host)
	for id := uint32(1); ; id += 2 {
		if _, err := peer.Write(append(appendHeader(nil, frameOpen, id, 1), 'x')); err != nil {
			break
		}
	}
	<-s.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refusals) > maxRefusals || len(s.streams) > maxStreams {
		t.Errorf("%d refusals, %d streams", len(s.refusals), len(s.streams))
	}
}

// One-byte frames cost what they carry: go-yamux needs 27 times as much.
func TestSmallFramesCostWhatTheyCarry(t *testing.T) {
	s, peer := rawPeer(t, Host)
	frames := append(appendHeader(nil, frameOpen, 1, 1), 'x')
	for range initialWindow {
		frames = append(appendHeader(frames, frameData, 1, 1), 'x')
	}
	peer.send(frames)
	offer, err := s.Accept()
	if err != nil {
		t.Fatal(err)
	}
	// The frames have all been taken once a ping behind them is answered.
	peer.send(appendUint64Frame(nil, framePing, 1))
	if got := peer.next(); got != "PONG 1" {
		t.Fatal(got)
	}
	s.mu.Lock()
	held := 0
	for c := offer.stream.received.head; c != nil; c = c.next {
		held += len(c.data)
	}
	s.mu.Unlock()
	if held > initialWindow+largeChunk {
		t.Errorf("%d bytes held for %d", held, initialWindow)
	}
}

// FuzzHeader reads any header; what is taken is written back the same.
func FuzzHeader(f *testing.F) {
	for typ := range shapes {
		f.Add(appendHeader(nil, frameType(typ), 1, shapes[typ].max))
	}
	f.Add(appendHeader(nil, framePing, 0, 8))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < headerSize {
			return
		}
		h, err := parseHeader(b[:headerSize])
		if err != nil {
			return
		}
		if again := appendHeader(nil, h.typ, h.id, h.length); !bytes.Equal(again, b[:headerSize]) {
			t.Errorf("% x reads as %+v, which is % x", b[:headerSize], h, again)
		}
		if h.length > maxData {
			t.Errorf("a payload of %d bytes", h.length)
		}
	})
}

// FuzzPeer feeds arbitrary bytes to a session: it must neither panic nor hang
// nor hold more than its limits.
func FuzzPeer(f *testing.F) {
	open := append(appendHeader(nil, frameOpen, 1, 1), 'x')
	add := func(sent []byte) {
		f.Add(sent, false)
		f.Add(sent, true)
	}
	add(open)
	add(append(append(appendHeader(bytes.Clone(open), frameData, 1, 2), "ab"...), appendHeader(nil, frameEnd, 1, 0)...))
	add(appendUint32Frame(bytes.Clone(open), frameReset, 1, 0))
	add(appendUint32Frame(bytes.Clone(open), frameWindow, 1, 5))
	add(appendHeader(bytes.Clone(open), frameReclaim, 1, 0))
	add(appendUint32Frame(bytes.Clone(open), frameReturn, 1, 5))
	add(appendUint64Frame(nil, framePing, 3))
	add(appendHeader(nil, frameGoAway, 0, 0))
	add(appendHeader(nil, frameAccept, 2, 0))
	add(append(appendHeader(nil, frameOpen, 2, 1), 'x'))
	add(append(append(appendHeader(nil, frameAccept, 1, 0), appendHeader(nil, frameData, 1, 1)...), 'x'))
	f.Fuzz(func(t *testing.T, sent []byte, asAgent bool) {
		side := Host
		if asAgent {
			side = Agent
		}
		a, b := net.Pipe()
		s := New(a, side)
		own, err := s.Open("own")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, b) }()
		handled := make(chan struct{})
		go func() {
			defer close(handled)
			for {
				o, err := s.Accept()
				if err != nil {
					return
				}
				st := o.Accept()
				_, _ = io.CopyN(st, st, 10)
				st.Close()
			}
		}()
		_, _ = b.Write(sent)
		b.Close()
		<-s.Done()
		<-handled
		if _, err := io.ReadAll(own); err == nil && !own.peerEnded {
			t.Error("a stream of a dead session ended without an error")
		}
		if err := windowsAddUp(s); err != nil {
			t.Error(err)
		}
		s.Close()
	})
}

// After a RESET nothing is sent for that stream, whatever its owner still does.
func TestSilenceAfterReset(t *testing.T) {
	s, peer := rawPeer(t, Agent)
	st, err := s.Open("link")
	if err != nil {
		t.Fatal(err)
	}
	peer.next()
	peer.send(append(appendHeader(nil, frameAccept, st.id, 0), appendUint32Frame(nil, frameReset, st.id, 1)...))
	peer.send(appendUint64Frame(nil, framePing, 1)) // behind it
	if got := peer.next(); got != "PONG 1" {
		t.Fatal(got)
	}
	st.CloseWrite()
	st.Close()
	peer.send(appendUint64Frame(nil, framePing, 2))
	if got := peer.next(); got != "PONG 2" {
		t.Errorf("after the reset it sent %s", got)
	}
}

// The end of the carrier is not the end of a stream.
func TestLossIsNotEndOfStream(t *testing.T) {
	s, peer := rawPeer(t, Agent)
	st, err := s.Open("link")
	if err != nil {
		t.Fatal(err)
	}
	peer.next()
	peer.Close()
	var lost *LostError
	if _, err := st.Read(make([]byte, 1)); errors.Is(err, io.EOF) || !errors.As(err, &lost) {
		t.Errorf("read: %v", err)
	}
}
