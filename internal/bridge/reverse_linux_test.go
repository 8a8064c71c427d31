package bridge

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
)

// doorOf listens at b.socket, without a session.
func (b *bridged) doorOf(t *testing.T, link, kind string) *ReverseListener {
	t.Helper()
	l, err := endpoint.Listen(b.socket, endpoint.Access{Mode: 0o600, Uid: os.Geteuid(), Gid: os.Getegid()})
	if err != nil {
		t.Fatal(err)
	}
	d := OpenReverseListener(l, Entry{Link: link, Kind: kind, Words: func(why string) string { return "why: " + why }, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = d.Close() }) // fails where the test has done it
	return d
}

// reverse has clients of the host reach the engine, which is the agent's here.
func (b *bridged) reverse(t *testing.T, kind string) *ReverseListener {
	t.Helper()
	where, err := b.host.RouteInAgent(t.Context(), AgentRoute{Link: "back", Socket: b.listen.Addr().String()})
	if err != nil || where.Agent != (Agent{PID: 7, Started: 1}) {
		t.Fatalf("%+v, %v", where, err)
	}
	d := b.doorOf(t, "back", kind)
	d.RouteThrough(b.host)
	return d
}

func TestReverseHalfClose(t *testing.T) {
	for _, kind := range []string{"", KindDocker} {
		b := build(t)
		b.reverse(t, kind)
		halfclose.Test(t, func(t *testing.T) (client, engine halfclose.Conn) {
			if kind == "" {
				return b.connect(t)
			}
			return b.asks(t)
		})
	}
}

// asks is connect for a docker link, whose engine hears of a client that has spoken: a byte is
// through before the test begins.
func (b *bridged) asks(t *testing.T) (client, engine *net.UnixConn) {
	t.Helper()
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	e, err := b.listen.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	limit := time.Now().Add(30 * time.Second)
	c.SetDeadline(limit)
	e.SetDeadline(limit)
	if _, err := io.ReadFull(e, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.UnixConn), e
}

// An engine that closes its connection has its client's closed, once that has got everything: it may
// know no other end. One that only ends its output hears its client on (TestReverseHalfClose).
func TestAnEngineThatIsGoneClosesItsClientsConnection(t *testing.T) {
	b := build(t)
	b.reverse(t, "")
	answer := bytes.Repeat([]byte("answer "), 100_000)
	for name, end := range map[string]func(*net.UnixConn){
		"at once": func(e *net.UnixConn) { e.Close() },
		"later": func(e *net.UnixConn) {
			_ = e.CloseWrite()
			time.AfterFunc(100*time.Millisecond, func() { e.Close() })
		},
	} {
		client, engine := b.connect(t)
		go func() {
			_, _ = engine.Write(answer)
			end(engine)
		}()
		if got, err := io.ReadAll(client); !bytes.Equal(got, answer) || err != nil {
			t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(answer), err)
		}
		if !isClosed(t, client) {
			t.Errorf("%s: the client's connection is open", name)
		}
		until(t, name+": the connection to end", func() bool { return b.host.CountStreamsOf("back") == 0 })
	}
}

// isClosed waits until the far side has closed the whole connection.
func isClosed(t *testing.T, c *net.UnixConn) bool {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var poll []unix.PollFd
	err = raw.Control(func(fd uintptr) {
		poll = []unix.PollFd{{Fd: int32(fd)}}
		_, _ = unix.Poll(poll, 30_000) // nothing but POLLHUP and POLLERR
	})
	return err == nil && poll[0].Revents&unix.POLLHUP != 0
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); {
		if time.Now().After(end) {
			t.Fatalf("waited for %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// The agent dials what the host has named and nothing else, whatever the name; and nothing more
// when the link has ended.
func TestTheAgentDialsOnlyWhatItWasLedTo(t *testing.T) {
	b := build(t)
	b.reverse(t, "")
	if _, err := b.host.RouteInAgent(t.Context(), AgentRoute{Link: "astray"}); err == nil {
		t.Error("a link without a socket was taken")
	}
	refusedAs := func(link string, want mux.RefuseCode) {
		t.Helper()
		c, err := b.host.Dial(link)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		var refused *mux.RefusedError
		if _, err := c.Read(make([]byte, 1)); !errors.As(err, &refused) || refused.Code != want {
			t.Errorf("%s: %v", link, err)
		}
	}
	for _, link := range []string{"unheard-of", "astray", "engine"} {
		refusedAs(link, mux.RefuseUnknownLink)
	}
	client, engine := b.connect(t)
	if err := b.host.UnrouteInAgent(t.Context(), "back"); err != nil {
		t.Fatal(err)
	}
	refusedAs("back", mux.RefuseUnknownLink)
	for _, way := range []struct{ from, to net.Conn }{{client, engine}, {engine, client}} {
		if _, err := way.from.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(way.to, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever asks whether somebody listens there leaves no connection, and is told if nobody does.
func TestReach(t *testing.T) {
	b := build(t)
	b.reverse(t, "")
	if err := b.host.TryTarget(t.Context(), "back"); err != nil {
		t.Error(err)
	}
	c, err := b.listen.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
	if n := b.host.CountStreamsOf("back"); n != 0 {
		t.Errorf("%d connections", n)
	}
	b.listen.Close()
	for link, want := range map[string]string{"back": "there is no such place", "engine": "there is no such link"} {
		var told *AgentError
		if err := b.host.TryTarget(t.Context(), link); !errors.As(err, &told) || !strings.Contains(told.Text, want) {
			t.Errorf("%s: %v", link, err)
		}
	}
}

// Clients are told what the agent has found, and what there is no session for.
func TestClientsAtADoorAreTold(t *testing.T) {
	b := build(t)
	for socket, want := range map[string]string{
		filepath.Join(t.TempDir(), "none"): "why: not-found", "/proc/self/exe": "why: not-found",
	} {
		if _, err := b.host.RouteInAgent(t.Context(), AgentRoute{Link: "back", Socket: socket}); err != nil {
			t.Fatal(err)
		}
		d := b.doorOf(t, "back", KindDocker)
		d.RouteThrough(b.host)
		for _, request := range []string{get, post} {
			if r, said := b.ask(t, request); r.StatusCode != 503 || said != want {
				t.Errorf("%s: %s %q", socket, r.Status, said)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	d := b.doorOf(t, "back", KindDocker)
	if r, said := b.ask(t, post); r.StatusCode != 503 || said != "why: down" {
		t.Errorf("without a session: %s %q", r.Status, said)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = b.doorOf(t, "back", KindDocker)
	up := b.say(t, "POST /build HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") // and it goes on sending
	began := time.Now()
	sent := make(chan error, 1)
	go func() {
		_, err := up.Write(make([]byte, 16<<20))
		sent <- err
	}()
	if r, said := answerOf(t, up, post); r.StatusCode != 503 || said != "why: down" {
		t.Errorf("who uploads: %s %q", r.Status, said)
	}
	if !isClosed(t, up.(*net.UnixConn)) || time.Since(began) > tellTime {
		t.Error("who uploads: its connection was not closed behind the answer")
	}
	<-sent
	up.Close()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	b.doorOf(t, "back", "")
	c := b.say(t, "hello")
	defer c.Close()
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("of a raw link: %v", err)
	}
}

// A client that comes while a session is being made waits for it.
func TestADoorWaitsForASession(t *testing.T) {
	b := build(t)
	d := b.doorOf(t, "back", KindDocker)
	if _, err := b.host.RouteInAgent(t.Context(), AgentRoute{Link: "back", Socket: b.listen.Addr().String()}); err != nil {
		t.Fatal(err)
	}
	c := b.say(t, post)
	defer c.Close()
	time.AfterFunc(200*time.Millisecond, func() { d.RouteThrough(b.host) })
	_ = b.listen.SetDeadline(time.Now().Add(30 * time.Second))
	e, err := b.listen.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if b, err := io.ReadAll(io.LimitReader(e, int64(len(post)))); string(b) != post || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// On a frozen carrier new clients are told, those under way live on but for one that reads.
func TestADoorToAFrozenCarrier(t *testing.T) {
	b := build(t)
	b.reverse(t, KindDocker)
	live, engine := b.asks(t)
	reader, _ := b.asked(t, get)
	<-time.After(fresh) // else the session was heard just now
	thaw := b.frost.freeze(t)
	if r, said := answerOf(t, reader, get); r.StatusCode != 503 || said != "why: frozen" {
		t.Errorf("a read under way: %s %q", r.Status, said)
	}
	if r, said := b.ask(t, post); r.StatusCode != 503 || said != "why: frozen" {
		t.Errorf("a new client: %s %q", r.Status, said)
	}
	thaw()
	for _, way := range []struct{ from, to net.Conn }{{live, engine}, {engine, live}} {
		if _, err := way.from.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(way.to, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
}

// A listener that is to be opened again at once ends its connections, and no others.
func TestADoorThatIsCut(t *testing.T) {
	b := build(t)
	d := b.reverse(t, "")
	client, engine := b.connect(t)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	b.reverse(t, "")
	other, otherEngine := b.connect(t)
	d.CutAllConnections()
	if n, err := client.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the client: %v", err)
	}
	wantCut(t, engine)
	if _, err := other.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(otherEngine, make([]byte, 1)); err != nil {
		t.Errorf("another door's: %v", err)
	}
}

// A listener that is closed leaves connections alone, and lets nobody in. Those end with the session.
func TestADoorThatIsClosed(t *testing.T) {
	b := build(t)
	d := b.reverse(t, "")
	client, engine := b.connect(t)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("unix", b.socket); err == nil {
		c.Close()
		t.Error("it lets somebody in")
	}
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(engine, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	b.host.Abort()
	b.host.AwaitRelays()
	if n, err := client.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("with the session lost: %v", err)
	}
	wantCut(t, engine)
}
