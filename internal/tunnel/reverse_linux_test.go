package tunnel

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
)

// back is a reverse link: its engine says everything back, its clients come to m.at(name).
func (m *many) back(t *testing.T, name string) Link {
	t.Helper()
	engine, err := net.Listen("unix", m.at(name+"-engine"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	go func() {
		for {
			c, err := engine.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	clients, err := net.Listen("unix", m.at(name))
	if err != nil {
		t.Fatal(err)
	}
	door := bridge.OpenReverseListener(clients, bridge.Entry{Link: name, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = door.Close() })
	return Link{Name: name, Door: door, Lead: bridge.AgentRoute{Link: name, Socket: engine.Addr().String()}}
}

// Both directions share a carrier. When that is lost so are the connections of both, and both
// come back; one that is not wanted any more disturbs no other.
func TestBothDirectionsOnOneCarrier(t *testing.T) {
	t.Parallel()
	var back Link
	m := runMany(t, func(m *many) []Link {
		back = m.back(t, "back")
		return []Link{m.echoes("forth"), back}
	})
	where := m.until(t, Serving).Where
	m.until(t, Serving)
	forth, over := m.connect(t, "forth"), m.connect(t, "back")
	echo(t, forth)
	echo(t, over)
	m.carried(t)
	if n, all := m.d.StreamsOf("back"), m.d.CountStreams(); n != 1 || all != 2 {
		t.Errorf("%d connections of %d", n, all)
	}
	kill(t, where)
	for name, c := range map[string]net.Conn{"forth": forth, "back": over} {
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: with the carrier lost: %v", name, err)
		}
	}
	m.until(t, Lost)
	m.until(t, Serving)
	m.until(t, Serving)
	forth, over = m.connect(t, "forth"), m.connect(t, "back")
	echo(t, forth)
	echo(t, over)

	m.d.SetLinks([]Link{m.echoes("forth"), m.back(t, "new")}, false)
	if e := m.until(t, Serving); e.Link != "new" {
		t.Errorf("served anew: %+v", e)
	}
	echo(t, m.connect(t, "new"))
	echo(t, forth)
	echo(t, over) // what was under way goes on
	wantDown(t, m.connect(t, "back"))
	c, err := m.d.DialLink("new")
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	echo(t, c)
	c.Close()
	m.leave()
	if err := <-m.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	wantDown(t, m.connect(t, "new"))
	if _, err := m.d.DialLink("new"); err == nil {
		t.Error("it dials though nothing is carried")
	}
}

// wantDown wants a connection that nobody carries to be closed.
func wantDown(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nobody carries it: %v", err)
	}
}

// A carrier that has reverse links alone leaves an agent to be ended, too.
func TestAnAgentWithoutSocketsIsCleanedUpAfter(t *testing.T) {
	t.Parallel()
	m := runMany(t, func(m *many) []Link { return []Link{m.back(t, "back")} })
	kill(t, m.until(t, Serving).Where)
	m.until(t, Lost)
	m.until(t, Serving)
	echo(t, m.connect(t, "back"))
	cleaned := 0
	for _, asked := range m.asked(t) {
		if asked == "clean" {
			cleaned++
		}
	}
	if cleaned != 1 {
		t.Errorf("started %q", m.asked(t))
	}
	m.leave()
	if err := <-m.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}
