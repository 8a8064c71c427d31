package bridge

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A link that is ended loses its socket, and no connection; another one is not touched. It may be
// served again at another place, and lead elsewhere.
func TestAnEndedLinkLosesItsSocketAlone(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	other := filepath.Join(filepath.Dir(b.socket), "other.sock")
	if _, err := b.host.Listen(t.Context(), Listen{Link: "nowhere", Socket: other, Owner: "root:docker"}); err != nil {
		t.Fatal(err)
	}
	client, engine := b.connect(t)
	if n := b.host.CountStreamsOf("engine"); n != 1 || b.host.CountStreams() != 1 {
		t.Errorf("%d connections", n)
	}
	if err := b.host.StopListening(t.Context(), "engine"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(b.socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its socket: %v", err)
	}
	if _, err := os.Lstat(other); err != nil {
		t.Errorf("the other link's socket: %v", err)
	}
	for _, way := range []struct{ from, to net.Conn }{{client, engine}, {engine, client}} {
		if _, err := way.from.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(way.to, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.host.StopListening(t.Context(), "engine"); err != nil {
		t.Errorf("once more: %v", err)
	}
	// Its name leads nowhere now, though the agent listens for it.
	if _, err := b.host.Listen(t.Context(), Listen{Link: "engine", Socket: b.socket, Owner: "root:docker"}); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err != io.EOF && !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("it leads to %v", err)
	}
	if _, err := client.Write([]byte("x")); err != nil {
		t.Error(err)
	}
}

// A link is listened for once.
func TestALinkHasOneSocket(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	second := filepath.Join(filepath.Dir(b.socket), "second.sock")
	var told *AgentError
	if _, err := b.host.Listen(t.Context(), Listen{Link: "engine", Socket: second, Owner: "root:docker"}); !errors.As(err, &told) || told.Kind != KindInvalid {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(second); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a socket is left: %v", err)
	}
}
