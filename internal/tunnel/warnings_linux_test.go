package tunnel

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
)

// What the agent warns of while it serves is reported with its link, though nobody asked for its log.
func TestAWarningOfTheAgentIsReported(t *testing.T) {
	t.Parallel()
	m := runMany(t, func(m *many) []Link {
		l := m.echoes("docker")
		l.Listen.Kind, l.Listen.Paths = bridge.KindDocker, bridge.PathsAuto
		l.Dial = func(context.Context) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				_, _ = theirs.Read(make([]byte, 1)) // it hears of the request, and has enough
				theirs.Close()
			}()
			return ours, nil
		}
		return []Link{m.echoes("other"), l}
	})
	m.of(t, "docker", Serving)
	c := m.connect(t, "docker")
	if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if e := m.of(t, "docker", Warned); e.Err.Error() != "paths are not translated: what is said on a connection is no HTTP/1" {
		t.Errorf("%+v", e)
	}
	c.Close()
	m.leave()
	if err := <-m.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// An agent that warns without end gets twenty lines in ten minutes, and none twice.
func TestWarningsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		d := &Tunnel{Report: func(e Event) { told = append(told, e.Link+": "+e.Err.Error()) }}
		var want []string
		for round := range 2 {
			for i := range 1000 {
				d.reportWarning("link", fmt.Sprint(round, i/2))
			}
			for i := range maxWarnings {
				want = append(want, fmt.Sprint("link: ", round, i))
			}
			time.Sleep(warnTime)
		}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}
