package bridge

import (
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// A reverse link may lead to the socket of a forward one: an engine's end goes all the way.
func TestAReverseLinkToAForwardOne(t *testing.T) {
	for _, kind := range []string{"", KindDocker} {
		b := build(t)
		b.serveKind(t, "engine", kind)
		forward := b.socket
		b.socket = filepath.Join(t.TempDir(), "clients.sock")
		if _, err := b.host.LeadAgent(t.Context(), Lead{Link: "back", Socket: forward}); err != nil {
			t.Fatal(err)
		}
		b.doorOf(t, "back", kind).Lead(b.host)
		go func() {
			e, err := b.listen.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(e, make([]byte, len(get)))
			_, _ = io.WriteString(e, "answer")
			_ = e.(*net.UnixConn).CloseWrite()
			time.AfterFunc(500*time.Millisecond, func() { e.Close() })
		}()
		c := b.say(t, get)
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		if got, err := io.ReadAll(c); string(got) != "answer" || err != nil {
			t.Errorf("%q: %q, %v", kind, got, err)
		}
	}
}
