package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// say sends a request on a connection of its own to the ward's socket.
func (w *ward) say(t *testing.T, request string) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", in(w.s, w.distro, wardSocket))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	return c
}

// hears reads the answer to a request of that method.
func hears(t *testing.T, c net.Conn, method string) (status int, message string) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	var said struct{ Message string }
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(body, &said) // engines say other things
	return answer.StatusCode, said.Message
}

const infoRequest = "GET /info HTTP/1.1\r\nHost: docker\r\n\r\n"

func createRequest(image, name string) string {
	body := fmt.Sprintf(`{"Image":%q,"Cmd":["true"],"HostConfig":{"NetworkMode":"none"}}`, image)
	return fmt.Sprintf("POST /containers/create?name=%s HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", name, len(body), body)
}

// wantRemedy wants the answer that tells a client of a frozen carrier what is
// wrong, about 2 s after it asked.
func wantRemedy(t *testing.T, c net.Conn, method string, began time.Time) {
	t.Helper()
	status, message := hears(t, c, method)
	took := time.Since(began)
	if status != http.StatusServiceUnavailable || !strings.Contains(message, "wsl --shutdown") || took > bound(4*time.Second) {
		t.Errorf("%s: %d %q after %v", method, status, message, took)
	}
	t.Logf("%s was answered %v after the question: %d", method, took.Round(time.Millisecond), status)
}

// The carrier stands still for a while, as in a sleep of the machine: what is
// under way loses nothing, new connections are told, and what may still run is
// neither done twice nor reported as failed.
func TestFrozenCarrierThaws(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	frozen, scope := 5*time.Second, wsl.Launches
	if long() {
		frozen, scope = 120*time.Second, wsl.Everything
	}
	counting := w.counting(ctx, t)
	w.works(ctx, t)
	thaw, early := w.frozen(ctx, t, scope)
	began := time.Now()
	for method, request := range map[string]string{"GET": infoRequest, "POST": createRequest(w.s.Docker.Image, "late-"+w.distro)} {
		asked := time.Now()
		wantRemedy(t, w.say(t, request), method, asked)
	}
	// A person gets it in words.
	o := w.route().run(ctx, t, w.s, nil, "ps")
	if o.code != 1 || !strings.Contains(o.stderr, "Error response from daemon: WSL's connection to Windows stands still") {
		t.Errorf("docker ps: %+v", o)
	}
	silent(t, early)
	select { // the time that passes is what is tested
	case <-time.After(time.Until(began.Add(frozen))):
	case <-ctx.Done():
	}
	silent(t, early)
	if err := thaw(); err != nil {
		t.Fatal(err)
	}
	if status, message := hears(t, early, "POST"); status != http.StatusCreated {
		t.Errorf("what had left before: %d %q", status, message)
	}
	direct, _ := routes(w.s, w.b)
	t.Cleanup(func() { direct.must(context.WithoutCancel(ctx), t, w.s, "rm", "early-"+w.distro) })
	names := direct.must(ctx, t, w.s, "ps", "-a", "--filter", "name=-"+w.distro, "--format", "{{.Names}}")
	if strings.Contains(names, "late-") || strings.Count(names, "early-") != 1 {
		t.Errorf("the engine has made %q", names)
	}
	counting.wantAll(t)
	w.works(ctx, t)
	if w.happened("lost") > 0 {
		t.Errorf("the carrier was given up: %s", w.b.Output())
	}
}

// frozen freezes the carrier with a request under way that had left before anybody could know, and
// waits until all know. A busy machine may let them know first: then the request was answered.
func (w *ward) frozen(ctx context.Context, t *testing.T, scope wsl.Scope) (thaw func() error, early net.Conn) {
	t.Helper()
	for {
		thaw, err := w.s.VM.Freeze(scope)
		if err != nil {
			t.Fatal(err)
		}
		early := w.say(t, createRequest(w.s.Docker.Image, "early-"+w.distro))
		quiet(ctx)
		if ctx.Err() != nil || isSilent(early) {
			return thaw, early
		}
		if err := thaw(); err != nil {
			t.Fatal(err)
		}
		if status, message := hears(t, early, "POST"); status != http.StatusServiceUnavailable {
			t.Fatalf("a request was answered through a frozen carrier: %d %q", status, message)
		}
		w.works(ctx, t)
	}
}

// quiet waits until what the bridge has heard last is no sign of life any more:
// the agent takes it for one for half a second.
func quiet(ctx context.Context) {
	select {
	case <-time.After(600 * time.Millisecond):
	case <-ctx.Done():
	}
}

// silent wants a connection to have said nothing.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	if !isSilent(c) {
		t.Error("it was told something")
	}
}

// isSilent tells whether a connection is open and has nothing to read.
func isSilent(c net.Conn) (quiet bool) {
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = err == syscall.EAGAIN
		return true
	})
	return quiet
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// A counter is a client of a container that counts until it is told to end.
type counter struct {
	*follower
	stop func()
}

func (w *ward) counting(ctx context.Context, t *testing.T) counter {
	t.Helper()
	name := "counts-" + w.distro
	container(ctx, t, w.s, name, "sh", "-c", "n=0; while [ ! -e /tmp/end ]; do n=$((n+1)); echo $n; usleep 20000; done")
	direct, _ := routes(w.s, w.b)
	f := follow(ctx, t, w.s, w.route(), "logs", "-f", name)
	f.next(t)
	return counter{f, func() { direct.must(ctx, t, w.s, "exec", name, "touch", "/tmp/end") }}
}

// wantAll wants every number to have come, in order.
func (c counter) wantAll(t *testing.T) {
	t.Helper()
	c.stop()
	lines, err := c.rest()
	if err != nil {
		t.Errorf("the count ended with %v", err)
	}
	for i, line := range lines {
		if want := strconv.Itoa(i + 2); line != want {
			t.Fatalf("the count is at %q where it should be at %s", line, want)
		}
	}
	t.Logf("counted to %d", len(lines)+1)
}

// A relay of WSL's stands still for good while new ones work: a fresh wsl.exe
// shows that, and the old one is given up.
func TestWedgedCarrierIsGivenUp(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	client := w.logging(ctx, t)
	if _, err := w.s.VM.Freeze(wsl.Launches); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	longer, cancel := context.WithTimeout(ctx, bound(2*time.Minute))
	defer cancel()
	w.awaits(longer, t, "frozen", 1)
	t.Logf("it was told %v after the fault", time.Since(began).Round(time.Millisecond))
	w.awaits(longer, t, "lost", 1)
	wantBroken(t, client, time.Now())
	w.comesBack(ctx, t, began, bound(time.Minute))
}

// awaits is happens with ctx for its only bound.
func (w *ward) awaits(ctx context.Context, t *testing.T, event string, nth int) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for w.happened(event) < nth {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("waited for %s: %v: %s", event, ctx.Err(), w.b.Output())
		}
	}
}
