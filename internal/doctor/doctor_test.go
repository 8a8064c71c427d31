package doctor

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// What the agent's program says is taken for what it should be or for nothing; nothing of it has power over a terminal.
func TestWordsOfTheDistro(t *testing.T) {
	i, err := readInspection([]byte(`{"user":"alice","kind":"socket","mode":"0660","owner":"root:docker","mayUse":true,"led":{"dockerHost":"a\u001b[2Jb` + strings.Repeat("x", 2*printable.Max) + `"},"leads":["a\u001b[2Jb"]}` + "\n"))
	if err != nil || i.User != "alice" || i.Owner != "root:docker" || !i.MayUse || !i.known {
		t.Fatalf("%+v, %v", i, err)
	}
	for _, word := range append(i.Leads, i.Led.DockerHost) {
		if len(word) > printable.Max+3 || strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q", word)
		}
	}
	for _, said := range []string{"", "hello", `{"user":1}`, `{"other":"x"}`, "\x1b[2J", `[]`} {
		if i, err := readInspection([]byte(said)); !errors.Is(err, errOtherWords) || i.known || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: %+v, %v", said, i, err)
		}
	}
}

// judged are the verdicts on a socket and what leads a client.
func judged(i inspection, link control.Link) map[codes.Code]Finding {
	i.known, i.User = true, "alice"
	found := map[codes.Code]Finding{}
	place := control.Place{Distro: "Debian", Socket: "/run/x.sock"}
	e := &exam{Target: Target{Place: place, Bridges: []control.Found{{Place: place, Status: control.Status{PID: 1, Link: link}}}}, distro: "Debian", seen: i}
	e.tell = func(f Finding) { found[f.Code] = f }
	_ = e.checkSocket(context.Background())
	_ = e.checkClient(context.Background())
	return found
}

func TestSocketAndClient(t *testing.T) {
	well := inspection{Kind: "socket", Mode: "0660", Owner: "root:docker", MayUse: true}
	made := control.Link{Kind: "docker", Mode: "0660", Owner: "root:docker"}
	with := func(change func(*inspection)) inspection { i := well; change(&i); return i }
	for name, c := range map[string]struct {
		i      inspection
		link   control.Link
		failed []codes.Code
	}{
		"well":             {well, made, nil},
		"nothing there":    {inspection{Kind: "none"}, made, []codes.Code{codes.SocketThere}},
		"a file":           {with(func(i *inspection) { i.Kind = "other" }), made, []codes.Code{codes.SocketThere}},
		"another mode":     {with(func(i *inspection) { i.Mode = "0666" }), made, []codes.Code{codes.SocketAccess}},
		"another owner":    {with(func(i *inspection) { i.Owner = "root:root" }), made, []codes.Code{codes.SocketAccess}},
		"not in the group": {with(func(i *inspection) { i.MayUse = false }), made, []codes.Code{codes.SocketUsable}},
		"DOCKER_HOST":      {with(func(i *inspection) { i.Led.DockerHost = "tcp://x:2375" }), made, []codes.Code{codes.ClientLed}},
		"that is ours":     {with(func(i *inspection) { i.Led.DockerHost = "unix:///run/x.sock"; i.Led.DockerContext = "x" }), made, nil},
		"a context":        {with(func(i *inspection) { i.Led.DockerContext = "desktop-linux" }), made, []codes.Code{codes.ClientLed}},
		"a chosen one":     {with(func(i *inspection) { i.Led.Current = "desktop-linux" }), made, []codes.Code{codes.ClientLed}},
		"the default one":  {with(func(i *inspection) { i.Led.Current = "default" }), made, nil},
		"ours beside it":   {with(func(i *inspection) { i.Led.Current = "desktop-linux"; i.Leads = []string{"windows"} }), made, nil},
		"ours is chosen":   {with(func(i *inspection) { i.Led.Current = "windows"; i.Leads = []string{"windows"} }), made, nil},
		"but DOCKER_HOST": {with(func(i *inspection) {
			i.Led = dockercontext.Override{Current: "windows", DockerHost: "tcp://x:2375"}
			i.Leads = []string{"windows"}
		}), made, []codes.Code{codes.ClientLed}},
		"but DOCKER_CONTEXT": {with(func(i *inspection) {
			i.Led = dockercontext.Override{Current: "windows", DockerContext: "other"}
			i.Leads = []string{"windows"}
		}), made, []codes.Code{codes.ClientLed}},
		"none that was made": {well, control.Link{Kind: "docker", Mode: "0660", Owner: "root:docker", Context: "windows"}, []codes.Code{codes.ClientLed}},
		"a raw link":         {with(func(i *inspection) { i.Led.DockerContext = "x" }), control.Link{Kind: "raw", Mode: "0660", Owner: "root:docker"}, nil},
		"not made yet":       {well, control.Link{Kind: "docker"}, nil},
	} {
		var failed []codes.Code
		for _, code := range codes.CheckedCodes() {
			if judged(c.i, c.link)[code].Verdict == Failed {
				failed = append(failed, code)
			}
		}
		if !slices.Equal(failed, c.failed) {
			t.Errorf("%s: failed are %q, want %q", name, failed, c.failed)
		}
	}
	barred := func(owner, mode string) string { return (&NotAllowedError{"alice", owner, mode}).GroupToJoin() }
	if barred("root:docker", "0660") != "docker" || barred("bob:bob", "0600") != "" || barred("bob", "") != "" {
		t.Error("who is let in by a group was misread")
	}
}

// Each check that has a page is a line of the table, once and in the order of the pages.
func TestTableHasEveryCheck(t *testing.T) {
	var list []codes.Code
	for _, row := range checkTable() {
		if row.checks[0].look == nil || row.without(&exam{}) == "" {
			t.Errorf("nothing looks at %s", row.checks[0].code)
		}
		for _, c := range row.checks {
			list = append(list, c.code)
			if c.remedy == nil {
				t.Errorf("nothing cures %s", c.code)
			}
		}
	}
	if !slices.Equal(list, codes.CheckedCodes()) {
		t.Errorf("the table has %q, the pages %q", list, codes.CheckedCodes())
	}
}

// Of several candidates the one that came farthest is told of.
func TestFarthest(t *testing.T) {
	gone, mute, linux := engine.Seen{Err: os.ErrNotExist}, engine.Seen{Err: engine.ErrNoAnswer}, engine.Seen{Info: engine.Info{OSType: "linux"}}
	for _, c := range []struct {
		seen []engine.Seen
		want codes.Code
	}{
		{nil, codes.PipeThere}, {[]engine.Seen{gone, gone}, codes.PipeThere}, {[]engine.Seen{mute, gone}, codes.EngineAnswers},
		{[]engine.Seen{gone, linux, mute}, codes.EngineWindows},
	} {
		if got := engineSteps[mostPassed(c.seen)].code; got != c.want {
			t.Errorf("%v: %s, want %s", c.seen, got, c.want)
		}
	}
}

// A wrong configuration is a finding of its own; where nobody has one to show, nothing is said of it.
func TestConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		err     error
		verdict Verdict
		seen    string
	}{
		"right": {nil, OK, "2 links, nothing is wrong"},
		"wrong": {errors.New("c.toml:3:1: a link has no key"), Failed, "c.toml:3:1: a link has no key"},
	} {
		var got Finding
		e := &exam{Target: Target{Configured: func() (string, error) { return "2 links, nothing is wrong", c.err }}, tell: func(f Finding) { got = f }}
		if _ = e.checkConfiguration(t.Context()); got.Code != codes.Configuration || got.Verdict != c.verdict || got.Seen != c.seen {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A command is not started for a question, and none of a Docker engine is asked there.
func TestCommandsAreNotAsked(t *testing.T) {
	found := map[codes.Code]Finding{}
	s := control.Status{PID: 1, Link: control.Link{Kind: "docker", Distro: "Ubuntu", Socket: "/run/x.sock", Engine: "exec: ssh host docker system dial-stdio"}}
	e := &exam{Target: Target{Windows: true, Bridges: []control.Found{{Status: s}}}}
	e.tell = func(f Finding) { found[f.Code] = f }
	_ = e.checkEngine(t.Context())
	if f := found[codes.PipeThere]; f.Verdict != Unknown || !strings.Contains(f.Seen, "a command is not started") {
		t.Errorf("%+v", f)
	}
}

// Of a reverse link the engine is what its bridge says, and there is no socket to look at.
func TestReverseLinks(t *testing.T) {
	look := func(s control.Status) (map[codes.Code]Finding, string) {
		found := map[codes.Code]Finding{}
		s.PID, s.Link = 1, control.Link{Kind: "docker", Distro: "Ubuntu", Socket: "npipe:////./pipe/x", Engine: "unix:/run/x.sock", Reverse: true}
		e := &exam{Target: Target{Windows: true, Bridges: []control.Found{{Status: s}}}}
		e.tell = func(f Finding) { found[f.Code] = f }
		_ = e.checkEngine(t.Context())
		_ = e.checkSocket(t.Context())
		return found, e.whyNoSocket()
	}
	well, noSocket := look(control.Status{Engine: engine.Info{OSType: "linux", Server: "Docker/1"}})
	if f := well[codes.PipeThere]; f.Verdict != OK || !strings.Contains(f.Seen, "unix:/run/x.sock in Ubuntu") {
		t.Errorf("%+v", f)
	}
	if f, told := well[codes.SocketThere]; told || !strings.Contains(noSocket, "npipe:////./pipe/x") {
		t.Errorf("%+v, %q", f, noSocket)
	}
	ill, _ := look(control.Status{EngineError: "nobody\x1b listens"})
	if f := ill[codes.PipeThere]; f.Verdict != Failed || strings.Contains(f.Seen, "\x1b") {
		t.Errorf("%+v", f)
	}
}
