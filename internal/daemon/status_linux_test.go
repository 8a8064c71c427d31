package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/advice"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// leading is an instance whose link is served, and leads there.
func leading(kind string, to endpoint.Endpoint) *instance {
	in := &instance{
		link:   links.Link{Name: "x", Kind: kind, Engine: to},
		status: control.Status{State: string(tunnel.Serving), Link: control.Link{Name: "x", Kind: kind, Distro: "Debian", Socket: "/run/x.sock"}},
	}
	in.setServingTunnel(&tunnel.Tunnel{}, nil, to.String)
	return in
}

// A link that leads to nothing is none that works, whatever it carries: status says what is missing
// and what cures it, and asks anew each time.
func TestStatusTellsWhatIsNotThere(t *testing.T) {
	none := command(t, "no-such-program-of-anybody", "x")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	there := command(t, exe, "x")
	blocked := fmt.Errorf("dial it: %w", fs.ErrPermission)
	for name, c := range map[string]struct {
		kind        string
		to          endpoint.Endpoint
		last        error // that a client got
		wrong, cure string
	}{
		"no program, for docker":     {config.Docker, none, nil, "dial exec: no-such-program-of-anybody x: there is no such program", "DWB801: "},
		"no program":                 {config.Raw, none, nil, "dial exec: no-such-program-of-anybody x: there is no such program", "DWB801: "},
		"a program":                  {config.Raw, there, nil, "", ""},
		"one that was not there":     {config.Raw, there, fs.ErrNotExist, "", ""},
		"one that ran too often":     {config.Docker, there, endpoint.ErrBusy, "", ""},
		"one that is kept from that": {config.Raw, there, blocked, "dial it: permission denied", "DWB801: "},
	} {
		in := leading(c.kind, c.to)
		in.dialErr = c.last
		s := in.currentStatus(t.Context())
		if s.EngineError != c.wrong {
			t.Errorf("%s: %q, want %q", name, s.EngineError, c.wrong)
		}
		if c.wrong == "" {
			continue
		}
		b, err := json.Marshal(s)
		if text := advice.ReasonOf(s); s.Works || !strings.Contains(text, "can't be reached: "+s.EngineError) || err != nil || !strings.Contains(string(b), `"works":false`) {
			t.Errorf("%s: %s%s", name, text, b)
		}
		if all := fmt.Sprint(s.Hints); !strings.Contains(all, c.cure) || strings.Contains(all, "engine") {
			t.Errorf("%s: %q", name, s.Hints)
		}
	}
}

// The same with a socket, which is connected to.
func TestStatusConnectsToARawSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	to, err := endpoint.Parse("unix:"+path, "linux")
	if err != nil {
		t.Fatal(err)
	}
	in := leading(config.Raw, to)
	if s := in.currentStatus(t.Context()); !strings.HasSuffix(s.EngineError, ": there is no such place") || !strings.Contains(fmt.Sprint(s.Hints), "DWB201: start what listens at unix:"+path) {
		t.Errorf("%q, %q", s.EngineError, s.Hints)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if s := in.currentStatus(t.Context()); s.EngineError != "" {
		t.Errorf("%q", s.EngineError)
	}
}

// A link back to a distro, whose agent does not answer, is not said to lead to nothing.
func TestStatusDoesNotBlameWhatOnlyTheAgentReaches(t *testing.T) {
	for _, kind := range []string{config.Raw, config.Docker} {
		in := leading(kind, endpoint.Endpoint{})
		in.link.Pipe = command(t, "x")
		in.status.Link.Reverse = true
		in.dial = bridge.Dial(func(context.Context) (net.Conn, error) { return nil, context.DeadlineExceeded })
		if s := in.currentStatus(t.Context()); s.EngineError != "" || advice.ReasonOf(s) != "the agent does not answer" || s.Hints[0].Code != codes.WSLWedged {
			t.Errorf("%s: %q, %q", kind, s.EngineError, s.Hints)
		}
	}
}

// command is the endpoint of one.
func command(t *testing.T, argv ...string) endpoint.Endpoint {
	t.Helper()
	e, err := endpoint.Exec(argv)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
