package bridge

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// frost makes a carrier stand still: nothing ends, nothing moves.
type frost struct{ state *frostState }

type frostState struct {
	mu   sync.Mutex
	thaw chan struct{} // closed while bytes move
}

func newFrost() frost {
	moving := make(chan struct{})
	close(moving)
	return frost{&frostState{thaw: moving}}
}

// freeze stops the bytes until the returned function is called, or the test ends.
func (f frost) freeze(t *testing.T) (thaw func()) {
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	still := make(chan struct{})
	f.state.thaw = still
	thaw = sync.OnceFunc(func() { close(still) })
	t.Cleanup(thaw)
	return thaw
}

func (f frost) wait() {
	f.state.mu.Lock()
	thaw := f.state.thaw
	f.state.mu.Unlock()
	<-thaw
}

func (f frost) on(c io.ReadWriteCloser) io.ReadWriteCloser { return frosty{c, f} }

type frosty struct {
	io.ReadWriteCloser
	frost frost
}

func (f frosty) Read(b []byte) (int, error) {
	n, err := f.ReadWriteCloser.Read(b)
	f.frost.wait()
	return n, err
}

func (f frosty) Write(b []byte) (int, error) {
	f.frost.wait()
	return f.ReadWriteCloser.Write(b)
}

// ask sends a request on a connection of its own and reads the answer to it.
func (b *bridged) ask(t *testing.T, request string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	return answerOf(t, c, request)
}

func answerOf(t *testing.T, c net.Conn, request string) (*http.Response, string) {
	t.Helper()
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var said struct{ Message string }
	_ = json.Unmarshal(body, &said) // engines say other things
	return response, said.Message
}

const (
	get  = "GET /info HTTP/1.1\r\nHost: docker\r\n\r\n"
	head = "HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"
	post = "POST /containers/create HTTP/1.1\r\nHost: docker\r\nContent-Length: 2\r\n\r\n{}"
)

// An engine that is down answers at once, whatever was asked: nothing of a
// refused stream has reached it.
func TestClientsOfAnEngineThatIsDownAreTold(t *testing.T) {
	for link, want := range map[string]string{"denied": "it is denied", "nowhere": "it is not there", "unheard-of": "unknown-link"} {
		b := build(t)
		b.serveKind(t, link, KindDocker)
		for _, request := range []string{get, head, post} {
			response, said := b.ask(t, request)
			if response.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%s: status %d", link, response.StatusCode)
			}
			if request != head && !strings.HasSuffix(said, want) {
				t.Errorf("%s: said %q, want %q", link, said, want)
			}
		}
		b.serveEnded(t)
	}
}

// serveEnded wants the agent to be left with no stream and to end in time.
func (b *bridged) serveEnded(t *testing.T) {
	t.Helper()
	if err := b.host.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-b.ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the agent does not end")
	}
}

// A client in the middle of a large upload gets to read why it failed.
func TestUploaderIsToldToo(t *testing.T) {
	b := build(t)
	b.serveKind(t, "nowhere", KindDocker)
	const size = 20 << 20
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	request := fmt.Sprintf("POST /build HTTP/1.1\r\nHost: docker\r\nContent-Length: %d\r\n\r\n", size)
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(append([]byte(request), make([]byte, size)...))
		sent <- err
	}()
	response, said := answerOf(t, c, request)
	if response.StatusCode != http.StatusServiceUnavailable || said != "it is not there" {
		t.Errorf("status %d, %q", response.StatusCode, said)
	}
	if err := <-sent; err != nil {
		t.Errorf("the upload broke before the client had read why: %v", err)
	}
}

// A client of another link gets no words that it does not know.
func TestOtherClientsAreOnlyClosed(t *testing.T) {
	b := build(t)
	b.serve(t, "nowhere")
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if got, _ := io.ReadAll(c); len(got) > 0 {
		t.Errorf("it got %q", got)
	}
}

// While the carrier stands still new connections stay off it and are told so.
func TestNewConnectionsStayOffAFrozenCarrier(t *testing.T) {
	b := build(t)
	b.serveKind(t, "engine", KindDocker)
	thaw := b.frost.freeze(t)
	b.quiet(t)
	began := time.Now()
	for i, request := range []string{post, get, post} {
		response, said := b.ask(t, request)
		if response.StatusCode != http.StatusServiceUnavailable || said != "it is frozen" {
			t.Errorf("request %d: status %d, %q", i, response.StatusCode, said)
		}
	}
	// The second and third need not wait: it is known by then.
	if took := time.Since(began); took < holdTime-fresh || took > 2*holdTime {
		t.Errorf("three requests were answered after %v", took)
	}
	thaw()
	b.carries(t) // and what came meanwhile is not there: this is the engine's first
}

// quiet waits until what was heard last is no sign of life any more.
func (b *bridged) quiet(t *testing.T) {
	t.Helper()
	select { // the time that passes is what is waited for
	case <-time.After(fresh):
	case <-t.Context().Done():
	}
}

// carries wants the next connection that the engine sees to be this one. It comes again while it is
// refused: an agent may not have heard of a thaw yet.
func (b *bridged) carries(t *testing.T) {
	t.Helper()
	const request = "GET /the/next HTTP/1.1\r\n\r\n"
	limit := time.Now().Add(30 * time.Second)
	b.listen.SetDeadline(limit)
	type accepted struct {
		conn net.Conn
		err  error
	}
	seen := make(chan accepted, 1)
	go func() {
		e, err := b.listen.Accept()
		seen <- accepted{e, err}
	}()
	for refused := true; refused; {
		c, err := net.Dial("unix", b.socket)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(limit)
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _, _ = c.Read(make([]byte, 1)); close(ended) }()
		select {
		case e := <-seen: // which ends when we let it
			refused = false
			if e.err != nil {
				t.Fatal(e.err)
			}
			e.conn.SetDeadline(limit)
			got := make([]byte, len(request))
			if n, err := io.ReadFull(e.conn, got); err != nil || string(got) != request {
				t.Errorf("the engine got %q, %v", got[:n], err)
			}
			e.conn.Close()
		case <-ended:
		}
		c.Close()
		<-ended
	}
}

// asked sends a request and waits until the engine has it.
func (b *bridged) asked(t *testing.T, request string) (client, engine net.Conn) {
	t.Helper()
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	b.listen.SetDeadline(time.Now().Add(30 * time.Second))
	e, err := b.listen.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	limit := time.Now().Add(30 * time.Second)
	c.SetDeadline(limit)
	e.SetDeadline(limit)
	if _, err := io.ReadFull(e, make([]byte, len(request))); err != nil {
		t.Fatal(err)
	}
	return c, e
}

// What had left before the freeze: a read is given up, anything else may still
// run and waits.
func TestOnlyReadsAreGivenUpOnAFrozenCarrier(t *testing.T) {
	b := build(t)
	b.serveKind(t, "engine", KindDocker)
	reader, itsEngine := b.asked(t, get)
	writer, engine := b.asked(t, post)
	thaw := b.frost.freeze(t)
	began := time.Now()
	response, said := answerOf(t, reader, get)
	if response.StatusCode != http.StatusServiceUnavailable || said != "it is frozen" {
		t.Errorf("the read: status %d, %q", response.StatusCode, said)
	}
	t.Logf("the read was given up after %v", time.Since(began).Round(time.Millisecond))
	writer.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := writer.Read(make([]byte, 1)); n > 0 || !isTimeout(err) {
		t.Errorf("the writer was told something: %d bytes, %v", n, err)
	}
	thaw()
	writer.SetReadDeadline(time.Now().Add(30 * time.Second))
	const created = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
	if _, err := io.WriteString(engine, created); err != nil {
		t.Fatal(err)
	}
	if response, _ := answerOf(t, writer, post); response.StatusCode != http.StatusCreated {
		t.Errorf("the writer: status %d", response.StatusCode)
	}
	wantCut(t, itsEngine)
}

// A read is the client's only request, or it waits: what came behind it may still run.
func TestAReadWithMoreBehindItWaits(t *testing.T) {
	b := build(t)
	b.serveKind(t, "engine", KindDocker)
	atOnce, _ := b.asked(t, get+post)
	later, engine := b.asked(t, get)
	if _, err := io.WriteString(later, post); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(engine, make([]byte, len(post))); err != nil {
		t.Fatal(err)
	}
	b.frost.freeze(t)
	for _, c := range []net.Conn{atOnce, later} { // the time that passes is what is tested
		c.SetReadDeadline(time.Now().Add(firstWatch + holdTime + holdTime/4))
		if n, err := c.Read(make([]byte, 1)); n > 0 || !isTimeout(err) {
			t.Errorf("the client was told something: %d bytes, %v", n, err)
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// A slow engine is not a frozen carrier, and an answer that has begun is never
// cut by a frozen one.
func TestSlowEnginesAndHalfAnswersAreWaitedFor(t *testing.T) {
	b := build(t)
	b.serveKind(t, "engine", KindDocker)
	slow, itsEngine := b.asked(t, get)
	half, engine := b.asked(t, get)
	const first, rest = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha", "lf"
	if _, err := io.WriteString(engine, first); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(first))
	if _, err := io.ReadFull(half, got); err != nil {
		t.Fatal(err)
	}
	// The time that passes is what is tested: both are looked at twice in it.
	slow.SetReadDeadline(time.Now().Add(firstWatch + nextWatch + holdTime))
	if n, err := slow.Read(make([]byte, 1)); n > 0 || !isTimeout(err) {
		t.Errorf("%d bytes, %v", n, err)
	}
	slow.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(itsEngine, first+rest); err != nil {
		t.Fatal(err)
	}
	if response, _ := answerOf(t, slow, get); response.StatusCode != http.StatusOK {
		t.Errorf("the slow engine's answer: status %d", response.StatusCode)
	}
	thaw := b.frost.freeze(t)
	half.SetReadDeadline(time.Now().Add(firstWatch + holdTime + holdTime/2))
	if n, err := half.Read(make([]byte, 1)); n > 0 || !isTimeout(err) {
		t.Errorf("half an answer was cut: %d bytes, %v", n, err)
	}
	thaw()
	half.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(engine, rest); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(half, got[:len(rest)]); err != nil || !bytes.HasPrefix(got, []byte(rest)) {
		t.Errorf("the rest is %q, %v", got[:len(rest)], err)
	}
}

// Clients that say nothing cost the other half nothing, and do not keep the
// agent from leaving.
func TestSilentClientsHoldNothing(t *testing.T) {
	b := build(t)
	b.serveKind(t, "engine", KindDocker)
	sentHome := make(chan error, maxIdle+1)
	for range maxIdle + 1 {
		c, err := net.Dial("unix", b.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		go func() {
			_, err := c.Read(make([]byte, 1))
			sentHome <- err
		}()
	}
	// There is a bound, beyond which one that says nothing is sent home.
	select {
	case err := <-sentHome:
		if err == nil {
			t.Error("it was told something")
		}
	case <-time.After(30 * time.Second):
		t.Error("there is room for all")
	}
	if n := b.host.CountStreams(); n > 1 { // the control stream, on its way out
		t.Errorf("%d streams", n)
	}
	b.carries(t) // none of them keeps out who has something to say
	b.serveEnded(t)
}

// Some are nobody's concern.
func TestSilentClientsHoldUpNobody(t *testing.T) {
	b := build(t)
	b.serveKind(t, "engine", KindDocker)
	for range 50 {
		c, err := net.Dial("unix", b.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	b.carries(t)
	if n := b.host.CountStreams(); n > 1 { // the one above, on its way out
		t.Errorf("%d streams", n)
	}
	b.serveEnded(t)
}
