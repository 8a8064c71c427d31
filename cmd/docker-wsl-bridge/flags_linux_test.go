package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// flagsWSL is a wsl.exe with the distro Debian, which is this machine. It keeps what it was told to run in asked,
// runs no agent while there is a file called broken, and answers for the user's docker contexts itself.
const flagsWSL = `#!/bin/sh
dir=${0%/*}
case "$*" in
*--verbose*) printf '  NAME      STATE           VERSION\r\n* Debian    Running         2\r\n  Old       Running         1\r\n'; exit ;;
*--list*) printf 'Debian\r\nOld\r\n'; exit ;;
esac
while [ "$1" != -e ]; do shift; done
shift 2
echo "$*" >>"$dir/asked"
[ ! -e "$dir/broken" ] || exit 3
case "$1" in
context) echo '{"user":"alice","state":"made","led":{}}' ;;
*) echo $$ >"$dir/pid"; exec "$dir/docker-wsl-agent" "$@" ;;
esac
`

// byFlags is a machine with an engine, a WSL and this program.
type byFlags struct {
	t    *testing.T
	ctx  context.Context
	dir  string
	said strings.Builder // what the golden file has
}

func onFlags(t *testing.T) *byFlags {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	agent, err := lab.Build(ctx, "linux", "./cmd/docker-wsl-agent")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "dwb-") // short enough for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	m := &byFlags{t: t, ctx: ctx, dir: dir}
	m.copy(agent, "docker-wsl-agent")
	m.ownAgent()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m.copy(self, "docker-wsl-bridge")
	if err := os.WriteFile(m.at("wsl.exe"), []byte(flagsWSL), 0o755); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *byFlags) at(name string) string { return filepath.Join(m.dir, name) }

func (m *byFlags) copy(from, to string) {
	m.t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(m.at(to), b, 0o755)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// ownAgent has wsl.exe start the agent that the program brings: one that is inside it comes first.
func (m *byFlags) ownAgent() {
	m.t.Helper()
	own, err := deploy.FindAgent(deploy.NativeArch(), m.dir)
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := own.Open()
	if err != nil {
		m.t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err == nil {
		err = os.WriteFile(m.at("docker-wsl-agent"), b, 0o755)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// engine listens at engine.sock.
func (m *byFlags) engine() {
	m.t.Helper()
	l, err := net.Listen("unix", m.at("engine.sock"))
	if err != nil {
		m.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Api-Version", "1.47")
		w.Header().Set("Ostype", "windows")
		w.Header().Set("Server", "Docker/27.0 (windows)")
		_, _ = w.Write([]byte("OK"))
	}))
	server.Listener.Close()
	server.Listener = l
	server.Start()
	m.t.Cleanup(server.Close)
}

// program is this one, as a process of its own.
func (m *byFlags) program(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(m.ctx, m.at("docker-wsl-bridge"), append([]string{"play", "program"}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+m.dir+":/bin:/usr/bin", "XDG_STATE_HOME="+m.at("h"), "XDG_CONFIG_HOME="+m.at("h"))
	return cmd
}

// does runs the program to its end and notes all of that.
func (m *byFlags) does(args ...string) {
	m.t.Helper()
	b := m.starts(args...)
	m.ends(b)
}

// background is the program in the background.
type background struct {
	*exec.Cmd
	args  []string
	ended chan error
}

func (m *byFlags) starts(args ...string) *background {
	m.t.Helper()
	r := &background{Cmd: m.program(args...), args: args, ended: make(chan error, 1)}
	r.Stdout, r.Stderr = m.file("stdout"), m.file("stderr")
	if err := r.Start(); err != nil {
		m.t.Fatal(err)
	}
	go func() { r.ended <- r.Wait() }()
	return r
}

// file has output go where another process can be waited for.
func (m *byFlags) file(name string) *os.File {
	m.t.Helper()
	f, err := os.Create(m.at(name))
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { f.Close() })
	return f
}

// ends notes what was said, and how it ended.
func (m *byFlags) ends(r *background) {
	m.t.Helper()
	select {
	case <-r.ended:
	case <-m.ctx.Done():
		m.t.Fatal("it does not end")
	}
	fmt.Fprintf(&m.said, "$ docker-wsl-bridge %s\n", strings.Join(r.args, " "))
	for _, name := range []string{"stdout", "stderr"} {
		b, err := os.ReadFile(m.at(name))
		if err != nil {
			m.t.Fatal(err)
		}
		if len(b) > 0 {
			fmt.Fprintf(&m.said, "[%s]\n%s", name, b)
		}
	}
	fmt.Fprintf(&m.said, "[exit %d]\n\n", r.ProcessState.ExitCode())
}

// hears waits for a text in one of the files.
func (m *byFlags) hears(pattern, text string) {
	m.t.Helper()
	m.hearsTimes(1, pattern, text)
}

func (m *byFlags) hearsTimes(n int, pattern, text string) {
	m.t.Helper()
	for m.ctx.Err() == nil {
		files, _ := filepath.Glob(m.at(pattern))
		for _, name := range files {
			if b, _ := os.ReadFile(name); bytes.Count(b, []byte(text)) >= n {
				return
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	b, _ := os.ReadFile(m.at("stderr"))
	m.t.Fatalf("%q does not come in %s; %s", text, pattern, b)
}

const anyLog = "h/docker-wsl-bridge/logs/*.log"

// status notes what a bridge tells, without what is another each time.
func (m *byFlags) status() {
	m.t.Helper()
	out, err := m.program("status", "--json").Output()
	if _, ended := err.(*exec.ExitError); err != nil && !ended {
		m.t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(out, &v); err != nil {
		m.t.Fatalf("%v in %s", err, out)
	}
	var drop func(any)
	drop = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range []string{"pid", "since", "uptimeSeconds", "stateSince", "roundTripSeconds", "build", "nextAttempt", "program"} {
				if _, there := v[key]; there {
					v[key] = "..."
				}
			}
			for _, one := range v {
				drop(one)
			}
		case []any:
			for _, one := range v {
				drop(one)
			}
		}
	}
	drop(v)
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		m.t.Fatal(err)
	}
	fmt.Fprintf(&m.said, "$ docker-wsl-bridge status --json\n%s\n\n", b)
}

// logs notes all logs.
func (m *byFlags) logs() {
	m.t.Helper()
	files, err := filepath.Glob(m.at(anyLog))
	if err != nil {
		m.t.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			m.t.Fatal(err)
		}
		fmt.Fprintf(&m.said, "%s\n%s\n", filepath.Base(name), b)
	}
}

// stops ends it as Ctrl-C does.
func (m *byFlags) stops(r *background) {
	m.t.Helper()
	if err := r.Process.Signal(syscall.SIGINT); err != nil {
		m.t.Fatal(err)
	}
	m.ends(r)
}

// breaks has the agent end, and no other one start until there is a word of that.
func (m *byFlags) breaks(pattern, word string) {
	m.t.Helper()
	if err := os.WriteFile(m.at("broken"), nil, 0o600); err != nil {
		m.t.Fatal(err)
	}
	var pid int
	b, err := os.ReadFile(m.at("pid"))
	if err != nil {
		m.t.Fatal(err)
	}
	fmt.Sscan(string(b), &pid)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		m.t.Fatal(err)
	}
	m.hears(pattern, word)
	if err := os.Remove(m.at("broken")); err != nil {
		m.t.Fatal(err)
	}
}

var changing = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`time=\S+ `), ""},
	{regexp.MustCompile(`pid[= ]\d+`), "pid=..."},
	{regexp.MustCompile(`clean \d+ \d+`), "clean ..."},
	{regexp.MustCompile(`since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "since ..."},
	{regexp.MustCompile(`agent-[0-9a-f]{16}`), "agent-..."},
	{regexp.MustCompile(`-[0-9a-f]{16}\.log`), "-....log"},
	{regexp.MustCompile(`next attempt in [0-9.]+m?s`), "next attempt in ..."},
	{regexp.MustCompile(`pause=\S+`), "pause=..."},
	{regexp.MustCompile(`retryMilliseconds":\d+`), `retryMilliseconds":0`},
}

// golden compares with the file of the test.
func (m *byFlags) golden() {
	m.t.Helper()
	asked, _ := os.ReadFile(m.at("asked"))
	fmt.Fprintf(&m.said, "wsl.exe was asked\n%s", asked)
	got := strings.ReplaceAll(m.said.String(), m.dir, "DIR")
	for _, c := range changing {
		got = c.what.ReplaceAllString(got, c.with)
	}
	file := filepath.Join("testdata", "flags", strings.ReplaceAll(strings.TrimPrefix(m.t.Name(), "TestFlags/"), " ", "-")+".txt")
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			m.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			m.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		m.t.Fatal(err)
	}
	if got != string(want) {
		g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		n := 0
		for n < min(len(g), len(w)) && g[n] == w[n] {
			n++
		}
		m.t.Errorf("%s, from line %d:\n%s\nwant\n%s", file, n+1, strings.Join(g[n:], "\n"), strings.Join(w[n:], "\n"))
	}
}

// What up and run with flags print, log, and answer.
func TestFlags(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the agent is root's")
	}
	for name, play := range map[string]func(m *byFlags, place []string){
		"up": func(m *byFlags, place []string) {
			up := m.starts(append([]string{"up"}, place...)...)
			m.hears("stdout", "Ctrl-C ends the bridge")
			m.status()
			other := m.program(append([]string{"up"}, place...)...)
			out, _ := other.CombinedOutput()
			fmt.Fprintf(&m.said, "once more: %s[exit %d]\n\n", out, other.ProcessState.ExitCode())
			m.breaks("stderr", "next attempt")
			m.hears("stderr", "serving "+m.at("s/x.sock")+" in Debian again")
			m.stops(up)
		},
		"up as JSON": func(m *byFlags, place []string) {
			up := m.starts(append([]string{"up", "--json", "--context", "mine", "--keep-alive", "while-running"}, place...)...)
			m.hears("stdout", "dockerHost")
			m.breaks("stdout", "lost")
			m.hearsTimes(2, "stdout", "dockerHost")
			m.status()
			m.stops(up)
		},
		"up with a context": func(m *byFlags, place []string) {
			up := m.starts(append([]string{"up", "--context", "mine"}, place...)...)
			m.hears("stdout", "Ctrl-C ends the bridge")
			m.stops(up)
		},
		"up with a raw pipe": func(m *byFlags, place []string) {
			up := m.starts(append([]string{"up", "--kind", "raw"}, place...)...)
			m.hears("stdout", "Ctrl-C ends the bridge")
			m.status()
			m.stops(up)
		},
		"up where nothing is": func(m *byFlags, place []string) {
			m.does(append([]string{"up", "--distro", "Other"}, place...)...)
			m.does(append([]string{"up", "--distro", "old"}, place...)...)
			m.does("up", "--pipe", "unix:"+m.at("none.sock"), "--socket", m.at("s/x.sock"))
			m.does(append([]string{"up", "--socket-owner", "nobody-of-that-name"}, place...)...)
			if err := os.WriteFile(m.at("broken"), nil, 0o600); err != nil {
				m.t.Fatal(err)
			}
			m.does(append([]string{"up"}, place...)...)
			if err := os.Remove(m.at("wsl.exe")); err != nil {
				m.t.Fatal(err)
			}
			m.does(append([]string{"up"}, place...)...)
		},
		"run": func(m *byFlags, place []string) {
			bridge := m.starts(append([]string{"run", "--context", "mine"}, place...)...)
			m.hears(anyLog, "docker context")
			m.status()
			other := m.program(append([]string{"run"}, place...)...)
			out, _ := other.CombinedOutput()
			fmt.Fprintf(&m.said, "once more: %s[exit %d]\n\n", out, other.ProcessState.ExitCode())
			m.breaks(anyLog, "state=lost")
			m.hearsTimes(2, anyLog, "docker context")
			stop, err := m.program("stop").CombinedOutput()
			fmt.Fprintf(&m.said, "stop: %s%v\n\n", stop, err)
			m.ends(bridge)
		},
		"run where a distro is to come": func(m *byFlags, place []string) {
			bridge := m.starts(append([]string{"run", "--distro", "other"}, place...)...)
			m.hears(anyLog, "state=distro-gone")
			m.status()
			m.stops(bridge)
		},
		"run where WSL is to come": func(m *byFlags, place []string) {
			if err := os.Rename(m.at("wsl.exe"), m.at("wsl")); err != nil {
				m.t.Fatal(err)
			}
			bridge := m.starts(append([]string{"run"}, place...)...)
			m.hears(anyLog, "state=lost")
			m.status()
			if err := os.Rename(m.at("wsl"), m.at("wsl.exe")); err != nil {
				m.t.Fatal(err)
			}
			m.hears(anyLog, "state=ready")
			m.status()
			m.stops(bridge)
		},
		"run where a start fails": func(m *byFlags, place []string) {
			if err := os.WriteFile(m.at("broken"), nil, 0o600); err != nil {
				m.t.Fatal(err)
			}
			bridge := m.starts(append([]string{"run"}, place...)...)
			m.hears(anyLog, "state=lost")
			m.status()
			m.stops(bridge)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := onFlags(t)
			m.engine()
			if err := os.Mkdir(m.at("s"), 0o755); err != nil {
				t.Fatal(err)
			}
			play(m, slices.Clone([]string{"--pipe", "unix:" + m.at("engine.sock"), "--socket", m.at("s/x.sock")}))
			m.logs()
			m.golden()
		})
	}
}
