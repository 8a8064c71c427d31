package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
)

// pipes is one end of a carrier made of two pipes.
type pipes struct {
	r, w *os.File
}

func (p pipes) Read(b []byte) (int, error)  { return p.r.Read(b) }
func (p pipes) Write(b []byte) (int, error) { return p.w.Write(b) }
func (p pipes) Close() error                { return errors.Join(p.r.Close(), p.w.Close()) }

// bridged is a whole bridge within this process: unix sockets at both ends,
// pipes between.
type bridged struct {
	host   *Host
	socket string     // where clients connect
	ended  chan error // what RunAgent returned
	listen *net.UnixListener
	agent  pipes
	warned chan string // what the agent has warned of
	frost  frost
}

func build(t testing.TB) *bridged {
	t.Helper()
	return buildWith(t, map[string]Dial{
		"denied":  func(context.Context) (net.Conn, error) { return nil, fs.ErrPermission },
		"nowhere": func(context.Context) (net.Conn, error) { return nil, fs.ErrNotExist },
	})
}

// buildWith has further links than the engine's.
func buildWith(t testing.TB, links map[string]Dial) *bridged {
	t.Helper()
	return buildIn(t, links, cDrive)
}

// buildIn has other mounts in the distro.
func buildIn(t testing.TB, links map[string]Dial, drives func() (paths.Drives, error)) *bridged {
	t.Helper()
	dir := t.TempDir()
	b := &bridged{frost: newFrost(), socket: filepath.Join(dir, "windows.sock"), ended: make(chan error, 1), warned: make(chan string, 10)}
	engine, err := net.Listen("unix", filepath.Join(dir, "engine.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	b.listen = engine.(*net.UnixListener)
	r1, w1, err1 := os.Pipe()
	r2, w2, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	b.agent = pipes{r2, w1}
	log := slog.New(slog.DiscardHandler)
	theirs := b.frost.on(b.agent)
	go func() {
		b.ended <- RunAgent(context.Background(), theirs, BuildID{1}, Distro{Open: openPlain, Users: nobody, Drives: drives, Self: ownAgent, Dial: dialPlain}, log)
	}()
	place, err := endpoint.Parse("unix:"+engine.Addr().String(), "linux")
	if err != nil {
		t.Fatal(err)
	}
	links["engine"] = place.Dial
	warned := func(link, text string) { b.warned <- link + ": " + text }
	b.host, err = Join(t.Context(), pipes{r1, w2}, BuildID{1}, links, warned, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.host.Close() })
	return b
}

func nobody() (int, error) { return 0, nil }

func dialPlain(ctx context.Context, socket string) (net.Conn, error) {
	place, err := endpoint.Parse("unix:"+socket, "linux")
	if err != nil {
		return nil, err
	}
	return place.Dial(ctx)
}

// openPlain listens without a thought about access.
func openPlain(l Listen) (net.Listener, Listening, error) {
	listener, err := endpoint.Listen(l.Socket, endpoint.Access{Mode: 0o600, Uid: os.Geteuid(), Gid: os.Getegid()})
	if err != nil {
		return nil, Listening{}, &AgentError{KindInUse, err.Error() + "\x1b[2J"}
	}
	return listener, Listening{Mode: "0600", Owner: l.Owner}, nil
}

func (b *bridged) serve(t testing.TB, link string) { b.serveKind(t, link, "") }

func (b *bridged) serveKind(t testing.TB, link, kind string) {
	t.Helper()
	where, err := b.host.Listen(t.Context(), Listen{
		Link: link, Socket: b.socket, Owner: "root:docker", Kind: kind,
		Answers: map[string]string{WhyFrozen: "it is frozen", WhyDenied: "it is denied", WhyNotFound: "it is not there"},
	})
	if err != nil || where.Mode != "0600" || where.Owner != "root:docker" {
		t.Fatalf("listen: %+v, %v", where, err)
	}
}

// connect gives both ends of a connection through the bridge.
func (b *bridged) connect(t testing.TB) (client, engine *net.UnixConn) {
	t.Helper()
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	e, err := b.listen.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	limit := time.Now().Add(30 * time.Second)
	c.SetDeadline(limit)
	e.SetDeadline(limit)
	return c.(*net.UnixConn), e
}

func TestHalfClose(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	halfclose.Test(t, func(t *testing.T) (client, engine halfclose.Conn) { return b.connect(t) })
}

// wantCut sends until the engine's connection is cut.
func wantCut(t *testing.T, engine net.Conn) {
	t.Helper()
	var err error
	for err == nil {
		_, err = engine.Write(make([]byte, 64<<10))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the engine's connection is still open: %v", err)
	}
}

// A client that dies while the engine still sends must not leave the engine's
// connection open: dockerd would keep the container locked.
func TestDeadClientEndsTheEnginesConnection(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	client, engine := b.connect(t)
	go func() {
		_, _ = io.ReadFull(client, make([]byte, 1000))
		client.Close()
	}()
	wantCut(t, engine)
}

// The same when the engine does not read what the client had sent: here the
// end of the client's direction can't be handed on.
func TestDeadClientOfAnEngineThatDoesNotRead(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	client, engine := b.connect(t)
	go func() {
		client.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)) // fills every buffer on the way
		_, _ = client.Write(make([]byte, 16<<20))
		client.Close()
	}()
	wantCut(t, engine)
}

// An engine that answers early and hangs up has its answer read, whatever the
// client was still sending.
func TestEarlyAnswerIsDelivered(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	client, engine := b.connect(t)
	sending := make(chan struct{})
	go func() {
		defer close(sending)
		_, _ = client.Write(make([]byte, 8<<20)) // fails when the engine is gone
	}()
	if _, err := io.ReadFull(engine, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	answer := bytes.Repeat([]byte("413 too large "), 10_000)
	got := make(chan []byte, 1)
	go func() {
		p := make([]byte, len(answer))
		n, _ := io.ReadFull(client, p) // a short one shows below
		got <- p[:n]
	}()
	if _, err := engine.Write(answer); err != nil {
		t.Fatal(err)
	}
	engine.Close()
	if !bytes.Equal(<-got, answer) {
		t.Error("the answer did not arrive whole")
	}
	<-sending
}

func TestRefusedLinkClosesTheConnection(t *testing.T) {
	b := build(t)
	b.serve(t, "denied")
	client, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.SetDeadline(time.Now().Add(30 * time.Second))
	if n, err := client.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d, %v", n, err)
	}
}

// The distro's side reaches nothing but what the host has by name.
func TestUnknownLinkIsRefused(t *testing.T) {
	for err, want := range map[error]mux.RefuseCode{
		fs.ErrNotExist: mux.RefuseNotFound, fs.ErrPermission: mux.RefuseDenied,
		os.ErrDeadlineExceeded: mux.RefuseTimeout, errors.New("x"): mux.RefuseFailed,
	} {
		if got := refuseCodeOf(fmt.Errorf("dial: %w", err)); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
	b := build(t)
	b.serve(t, `nothing`)
	client, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := client.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
}

func TestAgentsErrorsAreTold(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	_, err := b.host.Listen(t.Context(), Listen{Link: "engine", Socket: b.socket})
	var told *AgentError
	if !errors.As(err, &told) || told.Kind != KindInUse {
		t.Fatalf("got %v", err)
	}
	if bytes.ContainsRune([]byte(told.Text), '\x1b') {
		t.Errorf("an escape sequence came through: %q", told.Text)
	}
}

// What a hostile agent says never passes for words of ours.
func TestAgentsAnswersAreWordsOrNothing(t *testing.T) {
	b := build(t)
	for _, owner := range []string{"", "root", "root:docker\n\nIn PowerShell run calc.exe", "a b:c", "\x1b[2J:x"} {
		socket := filepath.Join(t.TempDir(), "s")
		if _, err := b.host.Listen(t.Context(), Listen{Link: "engine", Socket: socket, Owner: owner}); err == nil {
			t.Errorf("owner %q was taken", owner)
		}
	}
}

func TestCloseDrains(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	client, engine := b.connect(t)
	gone := removal(t, filepath.Dir(b.socket))
	closed := make(chan error, 1)
	go func() { closed <- b.host.Close() }()
	<-gone
	if _, err := net.Dial("unix", b.socket); err == nil {
		t.Error("a new connection was taken")
	}
	go func() {
		_, _ = engine.Write([]byte("the end of it"))
		engine.Close()
	}()
	if got, err := io.ReadAll(client); err != nil || string(got) != "the end of it" {
		t.Errorf("got %q, %v", got, err)
	}
	client.Close()
	if err := <-closed; err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-b.ended; err != nil {
		t.Errorf("agent: %v", err)
	}
}

// removal is closed when a file of dir has been removed.
func removal(t *testing.T, dir string) <-chan struct{} {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	events := os.NewFile(uintptr(fd), "inotify")
	t.Cleanup(func() { events.Close() })
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_DELETE); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = events.Read(make([]byte, 4096)) // an end of the test is an end too
	}()
	return gone
}

func TestLostCarrierEndsEverything(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	client, engine := b.connect(t)
	b.agent.Close()
	for name, c := range map[string]net.Conn{"client": client, "engine": engine} {
		if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s's connection is still open", name)
		}
	}
	var lost *mux.LostError
	if err := <-b.ended; !errors.As(err, &lost) {
		t.Errorf("agent ended with %v", err)
	}
	<-b.host.Done()
	if _, err := os.Lstat(b.socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("socket: %v", err)
	}
}

// A connection that nobody ends is cut after the drain time: here the client
// has half-closed and the engine neither answers nor ends.
func TestCloseCutsWhatDoesNotEnd(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	client, engine := b.connect(t)
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(engine); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := b.host.Close(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("close: %v", err)
	}
	if took := time.Since(began); took < drainTime {
		t.Errorf("cut after %v", took)
	}
	<-b.ended
	for name, c := range map[string]net.Conn{"client": client, "engine": engine} {
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s's connection is still open: %v", name, err)
		}
	}
}

// A question to the agent is no connection: who asks whether there are any would else
// always find his own.
func TestQuestionsAreNoConnections(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	for range 10 {
		if n, err := b.host.CountDistroUsers(t.Context()); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		if n := b.host.CountStreams(); n != 0 {
			t.Fatalf("%d connections", n)
		}
	}
	client, engine := b.connect(t)
	if n := b.host.CountStreams(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	client.Close()
	engine.Close()
}

// An agent that is killed while connections come to their end has not left: its socket may
// be there still.
func TestLossDuringCloseIsNoLeave(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	b.connect(t)
	gone := removal(t, filepath.Dir(b.socket))
	closed := make(chan error, 1)
	go func() { closed <- b.host.Close() }()
	<-gone // the agent has heard of it
	b.agent.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if b.host.AgentLeft() {
		t.Error("the agent is taken for one that has left")
	}
	<-b.ended
}
