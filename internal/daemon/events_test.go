package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/logs"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// An engine that goes is told once, not for each of its clients; one that comes back, too. Who gives up by himself tells nothing.
func TestAnEngineOutOfReachIsToldOnce(t *testing.T) {
	var list []string
	in := &instance{own: slog.New(logs.EventHandler(func(level slog.Level, id uint32, text string) error {
		list = append(list, fmt.Sprint(id, " ", text))
		return nil
	}))}
	failure := errors.New("there is no such place")
	dial := in.dialNotingEngine(func(ctx context.Context) (net.Conn, error) { return nil, errors.Join(failure, ctx.Err()) })
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = dial(gone)
	if len(list) > 0 || in.dialErr != nil {
		t.Errorf("a client that gave up: %q", list)
	}
	for range 3 {
		_, _ = dial(t.Context())
	}
	failure = nil
	_, _ = dial(t.Context())
	failure = errors.New("refused")
	_, _ = dial(t.Context())
	want := []string{`14 msg="engine can't be reached" error="there is no such place"`, `14 msg="engine can't be reached" error=refused`}
	if !slices.Equal(list, want) {
		t.Errorf("events %q, want %q", list, want)
	}
}

// A warning of the agent's is in the log and changes no state.
func TestAWarningOfTheAgentIsLogged(t *testing.T) {
	var said strings.Builder
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	in := &instance{link: links.Link{Name: "windows"}, of: whole{disk: userDisk{}}, own: slog.New(slog.NewTextHandler(&said, nil))}
	in.handleTunnelEvent(tunnel.Event{State: tunnel.Serving})
	in.handleTunnelEvent(tunnel.Event{State: tunnel.Warned, Link: "windows", Err: errors.New("paths are not translated")})
	if want := ` level=WARN msg="link windows" state=warning error="paths are not translated"` + "\n"; !strings.HasSuffix(said.String(), want) {
		t.Errorf("logged %s", said.String())
	}
	if in.status.State != string(tunnel.Serving) || in.status.Reason != "" {
		t.Errorf("it is %+v now", in.status)
	}
}

// A wrong configuration, a link that has no place of its own and one that has none in the distro are
// told as what they are.
func TestAConfigurationsEvents(t *testing.T) {
	var list []string
	f := newDaemon(ofFile("c.toml", nil))
	f.show = console.NewEventQueue(func(Event) {})
	defer f.show.Close()
	f.logToFile(slog.DiscardHandler, logs.EventHandler(func(level slog.Level, id uint32, text string) error {
		list = append(list, fmt.Sprint(level, " ", id, " ", text))
		return nil
	}))
	f.endMisconfigured(errors.New("c.toml:3:1: no"))
	for _, pause := range []time.Duration{1, 2} { // once an hour is enough
		f.reportBrokenLink("a", "Debian", errors.New("taken"), pause)
		in := &instance{link: links.Link{Name: "b"}, own: f.own}
		in.handleTunnelEvent(tunnel.Event{State: tunnel.Failing, Link: "b", Err: errors.New("no room"), Pause: pause})
	}
	want := []string{
		`ERROR 16 msg="the configuration is wrong" error="c.toml:3:1: no"`,
		`WARN 15 msg="link a" distro=Debian error=taken`,
		`WARN 15 msg="link b" state=link-failed error="no room"`,
	}
	if !slices.Equal(list, want) {
		t.Errorf("events %q, want %q", list, want)
	}
}
