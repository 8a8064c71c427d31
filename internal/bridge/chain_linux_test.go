package bridge

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A reverse link may lead to the socket of a forward one: an engine's end goes all the way.
func TestAReverseLinkToAForwardOne(t *testing.T) {
	for i, size := range []int{6, 6, 1100, 1300, 1536, 1537, 3000, 100_000} {
		kind, want := []string{"", KindDocker}[i%2], strings.Repeat("x", size)
		b := build(t)
		b.serveKind(t, "engine", kind)
		forward := b.socket
		b.socket = filepath.Join(t.TempDir(), "clients.sock")
		if _, err := b.host.RouteInAgent(t.Context(), AgentRoute{Link: "back", Socket: forward}); err != nil {
			t.Fatal(err)
		}
		b.doorOf(t, "back", kind).RouteThrough(b.host)
		go func() {
			e, err := b.listen.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(e, make([]byte, len(get)))
			_, _ = io.WriteString(e, want)
			_ = e.(*net.UnixConn).CloseWrite()
			time.AfterFunc(500*time.Millisecond, func() { e.Close() })
		}()
		c := b.say(t, get)
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		if got, err := io.ReadAll(c); string(got) != want || err != nil {
			t.Errorf("%q: %d bytes of %d, %v", kind, len(got), size, err)
		}
	}
}
