package e2e

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/recorder"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// turntable is an address that leads to one of several, as Docker Desktop's pipe does.
type turntable struct {
	addr string
	to   atomic.Pointer[string]
}

func turning(t *testing.T, to string) *turntable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	table := &turntable{addr: l.Addr().String()}
	table.to.Store(&to)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go table.lead(conn)
		}
	}()
	return table
}

func (table *turntable) lead(conn net.Conn) {
	defer conn.Close()
	engine, err := net.Dial("tcp", *table.to.Load())
	if err != nil {
		return
	}
	defer engine.Close()
	go func() {
		_, _ = io.Copy(engine, conn)
		_ = engine.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(conn, engine)
}

// pings asks an engine over a connection that stays, and tells which system it is of.
func pings(t *testing.T, conn net.Conn, answers *bufio.Reader) string {
	t.Helper()
	if _, err := io.WriteString(conn, "GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.Header.Get("Ostype")
}

// asked tells whether an engine was asked for its version.
func asked(r *recorder.Recorder) bool {
	return slices.ContainsFunc(r.Requests(), func(q recorder.Request) bool { return strings.HasSuffix(q.Path, "/version") })
}

// With no pipe named the engine for Windows containers is followed: the pipe that it was found at leads
// to another engine, as when Docker Desktop switches, and that is noticed, told and not used; then it is
// elsewhere, and then back, for each new connection. One that is there goes on as it is.
func TestAutoFollowsTheEngine(t *testing.T) {
	ctx, s, _ := onWindows(t)
	const socket = runDir + "/auto.sock"
	first, err := recorder.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = first.Close() })
	table := turning(t, first.Addr)
	front, err := s.Wine.StartFront(ctx, map[string]string{"docker_engine_windows": table.addr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = front.Close() })
	b := serve(ctx, t, s, "--socket", socket)
	status := func() bridgeStatus {
		return bridges(t, s.Windows(ctx, "status", "--json"))[stage.Debian+" "+socket]
	}
	version := func(want string) {
		t.Helper()
		if out, err := versionAs(ctx, s, stage.User, b.Host); !strings.Contains(out, want) {
			t.Errorf("docker version: %v: %s; want %s", err, out, want)
		}
	}
	version("windows/amd64")
	live, err := net.Dial("unix", in(s, stage.Debian, socket))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { live.Close() })
	_ = live.SetDeadline(time.Now().Add(2 * time.Minute))
	answers := bufio.NewReader(live)
	if system := pings(t, live, answers); system != "windows" {
		t.Errorf("it pings %s", system)
	}

	table.to.Store(&s.Docker.TCP)
	until(ctx, t, "a client to be told that the engine is another one", func() bool {
		out, err := versionAs(ctx, s, stage.User, b.Host)
		return err != nil && strings.Contains(out, "the Docker engine of Windows is not running")
	})
	if got := status(); got.Works || got.State != "ready" || !strings.Contains(got.EngineError, "docker_engine_windows: a linux engine") {
		t.Errorf("with another engine at its pipe: %+v", got)
	}
	if system := pings(t, live, answers); system != "windows" {
		t.Errorf("the connection that is there pings %s", system)
	}

	second, err := recorder.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Close() })
	other, err := s.Wine.StartFront(ctx, map[string]string{"dockerDesktopWindowsEngine": second.Addr})
	if err != nil {
		t.Fatal(err)
	}
	version("windows/amd64")
	if !asked(second) {
		t.Errorf("the engine that has come was asked %+v", second.Requests())
	}
	if got := status(); !got.Works || got.Link.Engine != "npipe:////./pipe/dockerDesktopWindowsEngine" {
		t.Errorf("with an engine elsewhere: %+v", got)
	}

	table.to.Store(&first.Addr)
	_ = other.Close()        // its connections may have ended badly
	version("windows/amd64") // at once, since a pipe that is gone says so
	if got := status(); !got.Works || got.Link.Engine != "npipe:////./pipe/docker_engine_windows" {
		t.Errorf("with the engine back: %+v", got)
	}
	if system := pings(t, live, answers); system != "windows" {
		t.Errorf("the connection that is there pings %s", system)
	}
	told := said(t, s.Windows(ctx, "logs", "--socket", socket)).stdout
	contains(t, told, `msg="engine of link windows is gone" was=npipe:////./pipe/docker_engine_windows`,
		`msg="engine of link windows is found" at=npipe:////./pipe/dockerDesktopWindowsEngine`,
		`msg="engine of link windows is found" at=npipe:////./pipe/docker_engine_windows was=npipe:////./pipe/dockerDesktopWindowsEngine`)
}
