package tunnel

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
)

// whole is a link to a place that says everything back and ends when its client does.
func (m *many) whole(t *testing.T, name string) Link {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(m.dir, name+"-engine.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c) // a client sees how it ends
			}()
		}
	}()
	return Link{
		Name: name, Listen: bridge.Listen{Link: name, Socket: m.at(name)},
		Dial: func(context.Context) (net.Conn, error) { return net.Dial("unix", l.Addr().String()) },
	}
}

// drains begins to drain one with a connection.
func drains(t *testing.T, within time.Duration) (*many, net.Conn) {
	t.Helper()
	m := runMany(t, func(m *many) []Link { return []Link{m.whole(t, "one")} })
	m.of(t, "one", Serving)
	c := m.connect(t, "one")
	echo(t, c)
	m.d.DrainWithin(within)
	m.leave()
	if e := m.until(t, Draining); e.Streams != 1 || e.Within != within {
		t.Errorf("%+v", e)
	}
	return m, c
}

func (m *many) ends(t *testing.T) {
	t.Helper()
	select {
	case err := <-m.ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
}

// A drain waits for connections, which go on, and for nothing else.
func TestADrainWaitsForConnections(t *testing.T) {
	t.Parallel()
	m, c := drains(t, time.Hour)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Lstat(m.at("one")); errors.Is(err, fs.ErrNotExist) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the socket stays")
		}
	}
	echo(t, c)
	if flows := m.d.FlowsOf(t.Context(), "one"); len(flows) != 1 {
		t.Errorf("%d connections are told", len(flows))
	}
	c.Close()
	m.ends(t)
	if s := m.d.TotalsOf("one"); s.Cut != 0 {
		t.Errorf("%d were cut", s.Cut)
	}
}

func TestADrainCutsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	m, c := drains(t, 10*time.Millisecond)
	m.ends(t)
	if n, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is still open: %d, %v", n, err)
	}
	if s := m.d.TotalsOf("one"); s.Cut != 1 {
		t.Errorf("%d were cut", s.Cut)
	}
}

// Whoever does not want to wait any more need not.
func TestADrainCanBeHurried(t *testing.T) {
	t.Parallel()
	m, _ := drains(t, time.Hour)
	m.d.EndDrain()
	m.ends(t)
	if s := m.d.TotalsOf("one"); s.Cut != 1 {
		t.Errorf("%d were cut", s.Cut)
	}
}
