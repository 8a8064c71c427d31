package bridge

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// taker is an engine that remembers the bodies that it was asked to create from.
type taker struct {
	os   string
	slow chan struct{} // passes when a slow request has come, and when it may be answered

	mu     sync.Mutex
	bodies []string
}

func (e *taker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.os != "" {
		w.Header().Set("Ostype", e.os)
	}
	if strings.HasSuffix(r.URL.Path, "/attach") {
		if strings.Contains(r.URL.Path, "/gone/") {
			http.Error(w, `{"message":"No such container"}`, http.StatusNotFound)
			return
		}
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer c.Close()
		fmt.Fprint(c, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
		_, _ = io.Copy(c, rw)
		return
	}
	body, err := io.ReadAll(r.Body)
	if r.URL.Path == "/slow" {
		e.slow <- struct{}{}
		<-e.slow
	}
	if strings.HasSuffix(r.URL.Path, "/start") && !strings.Contains(string(body), `"Detach":true`) {
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer c.Close()
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n")
		_, _ = io.Copy(c, rw)
		return
	}
	if (strings.HasSuffix(r.URL.Path, "/create") || strings.HasSuffix(r.URL.Path, "/update")) && err == nil {
		e.mu.Lock()
		e.bodies = append(e.bodies, string(body))
		e.mu.Unlock()
	}
	fmt.Fprint(w, r.URL.Path)
}

func (e *taker) took() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.bodies)
}

// translated serves a link that translates, to an engine of this kind, and
// connects.
func translated(t *testing.T, os string) (*bridged, *taker, *net.UnixConn, *bufio.Reader) {
	t.Helper()
	return translatedBy(t, build(t), os)
}

func translatedBy(t *testing.T, b *bridged, os string) (*bridged, *taker, *net.UnixConn, *bufio.Reader) {
	t.Helper()
	_, err := b.host.Listen(t.Context(), Listen{
		Link: "engine", Socket: b.socket, Owner: "root:docker", Kind: KindDocker, Paths: PathsAuto,
		Answers: map[string]string{WhyLinuxPath: "is Linux' own"},
	})
	if err != nil {
		t.Fatal(err)
	}
	e := &taker{os: os, slow: make(chan struct{})}
	server := &http.Server{Handler: e}
	go func() { _ = server.Serve(b.listen) }()
	t.Cleanup(func() { server.Close() })
	c, in := b.another(t)
	return b, e, c, in
}

// another connects once more.
func (b *bridged) another(t *testing.T) (*net.UnixConn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	return c.(*net.UnixConn), bufio.NewReader(c)
}

func creating(body string, lines ...string) string {
	return "POST /v1.41/containers/create HTTP/1.1\r\nHost: docker\r\n" + strings.Join(append(lines, ""), "\r\n") +
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

const (
	ours    = `{"HostConfig":{"Binds":["/mnt/c/src:C:\\src"]}}`
	theirs  = `{"HostConfig":{"Binds":["C:\\src:C:\\src"]}}`
	linux   = `{"HostConfig":{"Binds":["/home/me:C:\\src"]}}`
	neither = `{"HostConfig":{"Binds":["data:C:\\src"]}}`
)

// heard reads one answer: its status and body.
func heard(t *testing.T, in *bufio.Reader) (status int, body string) {
	t.Helper()
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// On one connection: one request behind the other, several at once, and what is refused comes
// behind the answers to what was not.
func TestPathsAreTranslatedOnAKeptConnection(t *testing.T) {
	b, e, c, in := translated(t, "windows")
	for _, text := range []string{get, creating(ours), get, creating(neither)} {
		say(t, c, text)
		if status, _ := heard(t, in); status != http.StatusOK {
			t.Fatalf("%q: status %d", text, status)
		}
	}
	say(t, c, get+creating(ours)+get+creating(linux)+creating(ours))
	for _, want := range []string{"/info", "/v1.41/containers/create", "/info"} {
		if status, body := heard(t, in); status != http.StatusOK || body != want {
			t.Fatalf("status %d, %q; want the answer of %s", status, body, want)
		}
	}
	status, body := heard(t, in)
	if status != http.StatusBadRequest || body != `{"message":"\"/home/me\" is Linux' own"}`+"\n" {
		t.Errorf("status %d, %q", status, body)
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v behind it", rest, err)
	}
	if got, want := e.took(), []string{theirs, neither, theirs}; !slices.Equal(got, want) {
		t.Errorf("the engine was asked for %q, want %q", got, want)
	}
	c.Close()
	b.serveEnded(t)
}

// An engine for Linux containers has the distro's paths: nothing is changed, and nothing refused.
func TestPathsStayForALinuxEngine(t *testing.T) {
	_, e, c, in := translated(t, "linux")
	for _, body := range []string{ours, linux} {
		say(t, c, creating(body))
		if status, _ := heard(t, in); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	if got, want := e.took(), []string{ours, linux}; !slices.Equal(got, want) {
		t.Errorf("the engine was asked for %q, want %q", got, want)
	}
}

// A client that waits for the engine's word gets it, then its container, or the refusal.
func TestPathsBehindExpect(t *testing.T) {
	for body, want := range map[string]int{ours: http.StatusOK, linux: http.StatusBadRequest} {
		_, e, c, in := translated(t, "windows")
		text := creating(body, "Expect: 100-continue")
		say(t, c, strings.TrimSuffix(text, body))
		if status, _ := heard(t, in); status != http.StatusContinue {
			t.Fatalf("status %d, want 100", status)
		}
		say(t, c, body)
		if status, said := heard(t, in); status != want {
			t.Errorf("%s: status %d, want %d: %s", body, status, want, said)
		}
		if got := e.took(); want == http.StatusOK && !slices.Equal(got, []string{theirs}) || want != http.StatusOK && len(got) > 0 {
			t.Errorf("%s: the engine was asked for %q", body, got)
		}
	}
}

// What looks like a request on a connection that is none any more is left alone.
func TestPathsInATerminalStay(t *testing.T) {
	_, _, c, in := translated(t, "windows")
	say(t, c, "POST /containers/x/attach?stream=1 HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	if status, _ := heard(t, in); status != http.StatusSwitchingProtocols {
		t.Fatalf("status %d", status)
	}
	typed := creating(ours) + creating(linux)
	say(t, c, typed)
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if back, err := io.ReadAll(in); err != nil || string(back) != typed {
		t.Errorf("it came back as %q, %v", back, err)
	}
}

// An engine that does not hear of the end of requests, behind a pipe in byte mode, holds nobody up.
func TestRefusedThoughTheEngineDoesNotEnd(t *testing.T) {
	deaf := make(chan struct{})
	defer close(deaf)
	b := buildWith(t, map[string]Dial{})
	if _, err := b.host.Listen(t.Context(), Listen{Link: "engine", Socket: b.socket, Owner: "root:docker", Kind: KindDocker, Paths: PathsAuto}); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := b.listen.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if n, _ := c.Read(make([]byte, 4096)); n > 0 { // the ping
					fmt.Fprint(c, "HTTP/1.1 200 OK\r\nOstype: windows\r\nContent-Length: 0\r\n\r\n")
				}
				<-deaf
			}()
		}
	}()
	response, _ := b.ask(t, creating(linux))
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", response.StatusCode)
	}
}

// warns waits for a warning that begins so.
func (b *bridged) warns(t *testing.T, want string) {
	t.Helper()
	select {
	case text := <-b.warned:
		if !strings.HasPrefix(text, want) {
			t.Errorf("%q, want %q", text, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("nobody was told: %s", want)
	}
}
