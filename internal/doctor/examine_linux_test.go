package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
)

// aWSL is a wsl.exe with one distro that runs. What programs of the distro say is in files: agent and
// sh, and an error of its relay in stderr, which is then all.
const aWSL = `#!/bin/sh
cd "$(dirname "$0")"
case "$*" in
--version) echo "WSL version: 2.9.4.0" ;;
"--list --verbose") printf '  NAME    STATE    VERSION\n* Debian  Running  2\n' ;;
"--list --quiet"|"--list --running --quiet") echo Debian ;;
*" inspect "*) [ ! -e stderr ] || { cat stderr >&2; exit 1; }; cat agent ;;
*) cat sh ;;
esac
`

// examined are the findings on a bridge with such a WSL.
func examined(t *testing.T, files map[string]string, change func(*Target)) map[codes.Code]Finding {
	t.Helper()
	dir := t.TempDir()
	files["wsl.exe"] = aWSL
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	place := control.Place{Distro: "Debian", Socket: "/run/x.sock"}
	p := Target{
		Place: place, Agent: "/run/agent", Build: "b1",
		Bridges: []control.Found{{Place: place, Status: control.Status{
			PID: 7, Build: "b1", Works: true, RoundTrip: 0.001, State: "ready", Engine: engine.Info{OSType: "windows"},
			Link: control.Link{Kind: "docker", Distro: "Debian", Socket: place.Socket, Mode: "0660", Owner: "root:docker", Engine: "npipe:////./pipe/docker_engine"},
		}}},
	}
	change(&p)
	found := map[codes.Code]Finding{}
	Examine(t.Context(), p, func(f Finding) {
		if _, twice := found[f.Code]; twice {
			t.Errorf("%s is told twice", f.Code)
		}
		found[f.Code] = f
	})
	if len(found) != len(codes.CheckedCodes()) {
		t.Errorf("%d findings of %d", len(found), len(codes.CheckedCodes()))
	}
	return found
}

// said is what the agent's program says, with a change.
func said(t *testing.T, change func(*inspection)) string {
	t.Helper()
	i := inspection{
		User: "alice", Kind: "socket", Mode: "0660", Owner: "root:docker", MayUse: true, Served: "yes", Now: time.Now().Add(time.Second),
		Gateway: "172.24.240.1", Drives: map[string]string{`C:\`: "/mnt/c"},
	}
	change(&i)
	b, err := json.Marshal(i)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhatTheDistroShows(t *testing.T) {
	well := func(*inspection) {}
	const mounts = "22 1 0:21 / /run rw,nosuid,nodev - tmpfs none rw\n"
	const room = "Filesystem 1024-blocks Used Available Capacity Mounted on\nnone 4000000 8 3999992 1% /run\n"
	const gone = "<3>WSL (9 - Relay) ERROR: CreateProcessCommon:1: execvpe(/run/agent) failed: No such file or directory\n"
	for name, c := range map[string]struct {
		files   map[string]string
		change  func(*Target)
		code    codes.Code
		verdict Verdict
		seen    string
	}{
		"all well":       {map[string]string{"agent": said(t, well)}, nil, codes.SocketServed, OK, "somebody listens"},
		"a stale socket": {map[string]string{"agent": said(t, func(i *inspection) { i.Served = "no" })}, nil, codes.SocketServed, Failed, "nobody listens there"},
		"left over without a bridge": {map[string]string{"agent": said(t, func(i *inspection) { i.Served = "no" })},
			func(p *Target) { p.Bridges = nil }, codes.SocketServed, Failed, "nobody listens there"},
		"ports":           {map[string]string{"agent": said(t, well)}, nil, codes.ClientPorts, OK, "at 172.24.240.1, which is Windows, not localhost of Debian"},
		"ports, mirrored": {map[string]string{"agent": said(t, func(i *inspection) { i.Mirrored = true })}, nil, codes.ClientPorts, OK, "localhost of Debian, too"},
		"paths":           {map[string]string{"agent": said(t, well)}, nil, codes.ClientPaths, OK, `C:\ as /mnt/c; from there: -v "$PWD:C:/src"`},
		"no drives":       {map[string]string{"agent": said(t, func(i *inspection) { i.Drives = nil })}, nil, codes.ClientPaths, OK, "no drive of Windows is mounted"},
		"paths of a linux engine": {map[string]string{"agent": said(t, well)}, func(p *Target) { p.Bridges[0].Status.Engine.OSType = "linux" },
			codes.ClientPaths, OK, "which runs linux containers"},
		"another build":    {map[string]string{"agent": said(t, well)}, func(p *Target) { p.Build = "b2" }, codes.BridgeBuild, Failed, "of build b1, this program is of build b2"},
		"no agent there":   {map[string]string{"stderr": gone, "sh": mounts + room}, nil, codes.AgentFits, OK, "can be put there"},
		"programs do":      {map[string]string{"stderr": gone, "sh": mounts + room}, nil, codes.WSLWedged, OK, "new sessions start"},
		"a read-only /run": {map[string]string{"stderr": gone, "sh": strings.Replace(mounts, "rw,", "ro,", 1) + room}, nil, codes.AgentFits, Failed, "read-only"},
		"noexec":           {map[string]string{"stderr": gone, "sh": strings.Replace(mounts, "nosuid,", "noexec,", 1) + room}, nil, codes.AgentFits, Failed, "noexec"},
		"a /run of the disk": {map[string]string{"stderr": gone, "sh": "1 1 8:1 / / ro - ext4 none ro\n" + room}, nil,
			codes.AgentFits, Failed, "read-only"},
		"a full /run":  {map[string]string{"stderr": gone, "sh": mounts + strings.Replace(room, "3999992", "100", 1)}, nil, codes.AgentFits, Failed, "no space left (100 KiB)"},
		"not allowed":  {map[string]string{"stderr": strings.Replace(gone, "No such file or directory", "Permission denied", 1)}, nil, codes.AgentFits, Failed, "may not be run"},
		"no programs":  {map[string]string{"stderr": "wsl: no\n"}, nil, codes.DistroStarts, Failed, "a program of Debian did not start"},
		"and no agent": {map[string]string{"stderr": "wsl: no\n"}, nil, codes.AgentFits, Unknown, "programs do not start"},
	} {
		t.Run(name, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(*Target) {}
			}
			f := examined(t, c.files, change)[c.code]
			if f.Verdict != c.verdict || !strings.Contains(f.Seen, c.seen) {
				t.Errorf("%s is %s: %s; want %s: %s", c.code, f.Verdict, f.Seen, c.verdict, c.seen)
			}
		})
	}
}

// What the distro says of the time is held against the time of the question.
func TestTheDistrosClock(t *testing.T) {
	for off, want := range map[time.Duration]string{
		time.Second: "is Windows'", -time.Hour: "is 1h0m", 30 * time.Hour: "ahead of Windows'",
	} {
		f := examined(t, map[string]string{"agent": said(t, func(i *inspection) { i.Now = time.Now().Add(off) })}, func(*Target) {})[codes.Clock]
		if (f.Verdict == OK) != (off == time.Second) || !strings.Contains(f.Seen, want) {
			t.Errorf("off by %v: %+v, want %s", off, f, want)
		}
	}
}

// After standby a session that was there lives on, and a new one does not come up (WSL#14005, #41286).
func TestWedged(t *testing.T) {
	for _, c := range []struct {
		hangs, late bool
		trip        float64
		want        Verdict
	}{{false, false, 0.001, OK}, {true, true, 0.001, Failed}, {true, true, 0, Unknown}, {true, false, 0.001, Unknown}} {
		var got Finding
		bridges := []control.Found{{Status: control.Status{PID: 7, RoundTrip: c.trip}}}
		e := &exam{Target: Target{Bridges: bridges}, hangs: c.hangs, tell: func(f Finding) { got = f }}
		if e.checkWedged(c.late); got.Code != codes.WSLWedged || got.Verdict != c.want {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

// Why an engine's pipe is not for this user: the number-one case.
func TestWhyTheEngineBars(t *testing.T) {
	for name, c := range map[string]struct {
		config string
		member func(string) (bool, error)
		want   Membership
		seen   string
	}{
		"no file":     {"", nil, Membership{}, `has no entry "group"`},
		"no group":    {`{"hosts":[]}`, nil, Membership{}, `has no entry "group"`},
		"unreadable":  {`{`, nil, Membership{}, "it is no JSON object"},
		"no member":   {`{"group":"g"}`, func(string) (bool, error) { return false, nil }, Membership{Group: "g", Known: true}, "which this session is not in"},
		"a member":    {`{"group":"g"}`, func(string) (bool, error) { return true, nil }, Membership{Group: "g", Known: true, Member: true}, "may have been started before"},
		"no such one": {`{"group":"g"}`, func(string) (bool, error) { return false, engine.ErrNoGroup }, Membership{Group: "g"}, "which Windows does not know"},
		"one of several": {`{"group":"a,g,c"}`, func(name string) (bool, error) {
			if name == "a" {
				return false, engine.ErrNoGroup
			}
			return name == "c", nil
		}, Membership{Group: "c", Known: true, Member: true}, "names the group c, which this session is in"},
		"none of several": {`{"group":"a,g,c"}`, func(name string) (bool, error) {
			if name != "g" {
				return false, engine.ErrNoGroup
			}
			return false, nil
		}, Membership{Group: "g", Known: true}, "names the group g, which this session is not in"},
	} {
		data := t.TempDir()
		c.want.File = engine.ConfigFile(data)
		if c.config != "" {
			if err := errors.Join(os.MkdirAll(filepath.Dir(c.want.File), 0o755), os.WriteFile(c.want.File, []byte(c.config), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		var got Finding
		e := &exam{Target: Target{ProgramData: data, Member: c.member}, tell: func(f Finding) { got = f }}
		_ = e.tellWhyPipeBars(os.ErrPermission)
		var why *GroupError
		if !errors.As(got.Err, &why) || why.Membership != c.want || got.Code != codes.PipeOpen || !strings.Contains(got.Seen, c.seen) || !errors.Is(got.Err, os.ErrPermission) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What Windows says when something keeps a program from being started.
func TestBlocked(t *testing.T) {
	for err, want := range map[error]string{errorVirusInfected: "Defender", errorBlockedByPolicy: "AppLocker", errorBlockedByWDAC: "App Control"} {
		found := map[codes.Code]Finding{}
		e := &exam{
			Target: Target{Installed: func(context.Context) (string, error) { return "fine", nil }, Blocked: func() (string, error) { return "", err }},
			tell:   func(f Finding) { found[f.Code] = f },
		}
		_ = e.checkWindows(t.Context())
		if f := found[codes.NotBlocked]; f.Verdict != Failed || !strings.Contains(f.Seen, want) || found[codes.Installed].Verdict != OK {
			t.Errorf("%v: %+v", err, found)
		}
	}
}
