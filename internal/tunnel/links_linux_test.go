package tunnel

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
)

// many is a daemon that serves several links.
type many struct {
	*running
	d *Tunnel
}

// echoes is a link to a place that says everything back.
func (m *many) echoes(name string) Link {
	return Link{
		Name: name, Listen: bridge.Listen{Link: name, Socket: m.at(name)},
		Dial: func(context.Context) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				_, _ = io.Copy(theirs, theirs)
				theirs.Close()
			}()
			return ours, nil
		},
	}
}

func (m *many) at(name string) string { return filepath.Join(m.dir, name+".sock") }

func runMany(t *testing.T, links func(m *many) []Link) *many {
	t.Helper()
	r, _ := runTunnel(t)
	r.end(t) // its wsl.exe is what is needed
	if err := os.Remove(filepath.Join(r.dir, "asked")); err != nil {
		t.Fatal(err)
	}
	r.ended, r.events = make(chan error, 1), make(chan Event, 100)
	m := &many{r, r.tunnel()}
	m.d.Links, m.d.Report = links(m), func(e Event) { r.events <- e }
	var ctx context.Context
	ctx, r.leave = context.WithCancel(context.Background())
	t.Cleanup(r.leave)
	go func() { r.ended <- m.d.Run(ctx) }()
	return m
}

// of waits until a link is at a state.
func (m *many) of(t *testing.T, link string, want State) Event {
	t.Helper()
	for {
		if e := m.until(t, want); e.Link == link {
			return e
		}
	}
}

func (m *many) connect(t *testing.T, link string) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", m.at(link))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

// carried waits until the daemon has what it serves on: clients may be served a moment before.
func (m *many) carried(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); m.d.CurrentCarrier().Since.IsZero(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", m.d.CurrentCarrier())
		}
	}
}

func echo(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "word"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
}

// A link whose socket can't be made is tried again by itself, and served when it can; the other
// one is served all the time.
func TestABrokenLinkDisturbsNoOther(t *testing.T) {
	t.Parallel()
	m := runMany(t, func(m *many) []Link {
		broken := m.echoes("broken")
		broken.Listen.Socket = filepath.Join(m.dir, "none", "none", "s")
		return []Link{broken, m.echoes("good")}
	})
	m.of(t, "good", Serving)
	e := m.of(t, "broken", Failing)
	var socket *SocketError
	if !errors.As(e.Err, &socket) || e.Pause <= 0 {
		t.Errorf("%+v", e)
	}
	c := m.connect(t, "good")
	echo(t, c)
	if err := os.Mkdir(filepath.Join(m.dir, "none"), 0o755); err != nil {
		t.Fatal(err)
	}
	m.of(t, "broken", Serving)
	echo(t, c)
	if asked := m.asked(t); !slices.Equal(asked, []string{"serve"}) {
		t.Errorf("started %q", asked)
	}
	m.leave()
	if err := <-m.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// What is changed changes nothing else: the connection of a link that stays lives on while another
// one comes, one goes, and one gets another socket.
func TestSetTouchesNoOtherLink(t *testing.T) {
	t.Parallel()
	m := runMany(t, func(m *many) []Link { return []Link{m.echoes("stays"), m.echoes("goes"), m.echoes("moves")} })
	for range 3 {
		m.until(t, Serving)
	}
	stays, goes := m.connect(t, "stays"), m.connect(t, "goes")
	echo(t, stays)
	echo(t, goes)
	moves := m.echoes("moves")
	moves.Listen.Socket = m.at("moved")
	m.d.SetLinks([]Link{m.echoes("stays"), m.echoes("comes"), moves}, false)
	served := []string{m.until(t, Serving).Link, m.until(t, Serving).Link}
	slices.Sort(served)
	if !slices.Equal(served, []string{"comes", "moves"}) {
		t.Errorf("served anew: %q", served)
	}
	echo(t, stays)
	echo(t, goes) // what was under way goes on
	echo(t, m.connect(t, "comes"))
	echo(t, m.connect(t, "moved"))
	for _, name := range []string{"goes", "moves"} {
		for limit := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // nobody tells of it
			_, err := os.Lstat(m.at(name))
			if errors.Is(err, fs.ErrNotExist) {
				break
			}
			if time.Now().After(limit) {
				t.Fatalf("the socket of the link that %s: %v", name, err)
			}
		}
	}
	if n := m.d.StreamsOf("stays"); n != 1 {
		t.Errorf("%d connections", n)
	}
	m.leave()
	if err := <-m.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	left, err := filepath.Glob(m.at("*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

// A killed agent's sockets are all cleaned up after.
func TestEachSocketIsCleanedUpAfter(t *testing.T) {
	t.Parallel()
	m := runMany(t, func(m *many) []Link { return []Link{m.echoes("a"), m.echoes("b")} })
	m.until(t, Serving)
	kill(t, m.until(t, Serving).Where)
	m.until(t, Lost)
	for range 2 {
		m.until(t, Serving)
	}
	said, err := os.ReadFile(filepath.Join(m.dir, "asked"))
	if err != nil || !strings.Contains(string(said), m.at("a")) || !strings.Contains(string(said), m.at("b")) {
		t.Errorf("started %q, %v", said, err)
	}
	m.leave()
	if err := <-m.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// What was carried before a carrier was lost is not forgotten with it.
func TestBooksOutliveACarrier(t *testing.T) {
	t.Parallel()
	m := runMany(t, func(m *many) []Link { return []Link{m.echoes("one")} })
	first := m.of(t, "one", Serving)
	if c := m.d.CurrentCarrier(); c.Lost != 0 {
		t.Errorf("%+v", c)
	}
	echo(t, m.connect(t, "one"))
	kill(t, first.Where)
	m.of(t, "one", Serving)
	conn := m.connect(t, "one")
	echo(t, conn)
	m.carried(t)
	if c := m.d.CurrentCarrier(); c.Lost != 1 || c.Since.IsZero() {
		t.Errorf("%+v", c)
	}
	flows := m.d.FlowsOf(t.Context(), "one")
	if len(flows) != 1 || flows[0].Peer.PID != int32(os.Getpid()) {
		t.Errorf("%+v", flows)
	}
	// A byte is counted when it is handed on, which its reader may see first.
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		s := m.d.TotalsOf("one")
		if s.Connections == 2 && s.Sent == 8 && s.Got == 8 && s.Cut == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", s)
		}
	}
	m.end(t)
	if c := m.d.CurrentCarrier(); c.Lost != 1 || !c.Since.IsZero() {
		t.Errorf("at the end %+v", c)
	}
}
