package bridge

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockerapi"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/relay"
)

const tcp = "Connection: Upgrade\r\nUpgrade: tcp\r\n"

// A request may ask for another protocol, or be one that has it as a rule: only the answer tells that it has come.
func TestAConnectionStaysHTTPWhenNothingElseIsAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"an exec that is detached":     {"POST /exec/x/start HTTP/1.1\r\nHost: d\r\nContent-Length: 15\r\n\r\n{\"Detach\":true}", 200},
		"the same with an upgrade":     {"POST /v1.41/exec/x/start HTTP/1.1\r\nHost: d\r\n" + tcp + "Content-Length: 15\r\n\r\n{\"Detach\":true}", 200},
		"an attach to what is gone":    {"POST /containers/gone/attach?stream=1 HTTP/1.1\r\nHost: d\r\n" + tcp + "\r\n", 404},
		"an upgrade that is not given": {"GET /info HTTP/1.1\r\nHost: d\r\n" + tcp + "\r\n", 200},
		"a session":                    {"POST /session HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200},
		"an empty line behind it":      {"POST /build HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n\r\n", 200},
		"a long head":                  {"GET /info HTTP/1.1\r\nHost: d\r\nX-Long: " + strings.Repeat("x", 200<<10) + "\r\n\r\n", 200},
		"UTF-8 as it is":               {"GET /info?name=\u00e4 HTTP/1.1\r\nHost: d\r\nX: a\r\n b\r\n\r\n", 200},
		"a length and chunks":          {"POST /build HTTP/1.1\r\nHost: d\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200},
	} {
		b, e, client, in := translated(t, "windows")
		say(t, client, c.request)
		if status, body := heard(t, in); status != c.status {
			t.Fatalf("%s: status %d, %s", name, status, body)
		}
		say(t, client, creating(ours))
		if status, body := heard(t, in); status != 200 {
			t.Fatalf("%s: status %d, %s", name, status, body)
		}
		say(t, client, c.request+creating(linux)) // and at once
		if status, _ := heard(t, in); status != c.status {
			t.Fatalf("%s: status %d", name, status)
		}
		if status, body := heard(t, in); status != 400 {
			t.Errorf("%s: status %d, %s", name, status, body)
		}
		if got := e.took(); !slices.Equal(got, []string{theirs}) {
			t.Errorf("%s: the engine was asked for %q", name, got)
		}
		b.host.Close()
		select {
		case text := <-b.warned:
			t.Errorf("%s: warned of %s", name, text)
		default:
		}
	}
}

// What is said behind an exec before it is answered reaches it as it is, also what looks like a request.
func TestTypedBehindAnExecAtOnce(t *testing.T) {
	const start = "POST /exec/x/start HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\n\r\n{}"
	for _, typed := range []string{"P", "hello", "hello\n" + creating(linux), creating(ours), creating(linux) + creating(ours)} {
		b, _, c, in := translated(t, "windows")
		say(t, c, start+typed)
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if r, err := http.ReadResponse(in, nil); err != nil || r.StatusCode != 200 {
			t.Fatal(r, err)
		}
		if back, err := io.ReadAll(in); err != nil || string(back) != typed {
			t.Errorf("%q came back as %q, %v", typed, back, err)
		}
		b.host.Close()
		select {
		case text := <-b.warned:
			t.Errorf("%q: warned of %s", typed, text)
		default:
		}
	}
}

// An engine that answers an exec only when it has heard of its input is not waited for in vain.
func TestAnEngineThatHearsBeforeItAnswers(t *testing.T) {
	b := build(t)
	if _, err := b.host.Listen(t.Context(), Listen{Link: "engine", Socket: b.socket, Owner: "root:docker", Kind: KindDocker, Paths: PathsAuto}); err != nil {
		t.Fatal(err)
	}
	const start, typed = "POST /exec/x/start HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\n\r\n{}", "echo hello\n"
	c, in := b.another(t)
	say(t, c, start+typed)
	engine, err := b.listen.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	engine.SetDeadline(time.Now().Add(30 * time.Second))
	got := make([]byte, len(start+typed))
	if _, err := io.ReadFull(engine, got); err != nil || string(got) != start+typed {
		t.Fatalf("%q, %v", got, err)
	}
	say(t, engine, "HTTP/1.1 101 UPGRADED\r\n\r\n")
	say(t, c, creating(ours))
	got = make([]byte, len(creating(ours)))
	if _, err := io.ReadFull(engine, got); err != nil || string(got) != creating(ours) {
		t.Fatalf("%q, %v", got, err)
	}
	if status, _ := heard(t, in); status != 101 {
		t.Errorf("status %d", status)
	}
}

// A refusal takes its turn behind the answers to what was asked before it, however long these take.
func TestARefusalWaitsForItsTurn(t *testing.T) {
	_, e, c, in := translated(t, "windows")
	say(t, c, "POST /slow HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n"+creating(linux)+get)
	<-e.slow
	c.SetReadDeadline(time.Now().Add(refusedTooEarly))
	if b, err := in.Peek(1); !isTimeout(err) {
		t.Fatalf("%q, %v before the engine has answered", b, err)
	}
	c.SetReadDeadline(time.Now().Add(30 * time.Second))
	e.slow <- struct{}{}
	if status, body := heard(t, in); status != 200 || body != "/slow" {
		t.Errorf("status %d, %q", status, body)
	}
	if status, body := heard(t, in); status != 400 {
		t.Errorf("status %d, %q", status, body)
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v behind it", rest, err)
	}
}

// refusedTooEarly is longer than a slow engine was waited for once.
const refusedTooEarly = 1500 * time.Millisecond

// In HTTP/1.0 there are no chunks.
func TestExpectInHTTP10KeepsItsBody(t *testing.T) {
	_, e, c, in := translated(t, "windows")
	say(t, c, strings.Replace(creating(ours, "Expect: 100-continue", "Connection: keep-alive"), "HTTP/1.1", "HTTP/1.0", 1))
	if status, body := heard(t, in); status != 200 {
		t.Errorf("status %d, %s", status, body)
	}
	if got := e.took(); !slices.Equal(got, []string{theirs}) {
		t.Errorf("the engine was asked for %q", got)
	}
}

// untranslatable are requests that can't be looked into, and how they are refused. end ends what the client says.
var untranslatable = map[string]struct {
	request string
	end     bool
	status  int
}{
	"no JSON":         {creating(`{"HostConfig":{"Binds":["/mnt/c/src:C:\\src"`), false, 400},
	"another coding":  {creating("\xff\xfe{\x00}\x00"), false, 400},
	"too long":        {fmt.Sprintf("POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: %d\r\n\r\n", dockerapi.MaxBody+1), false, 413},
	"cut short":       {"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 1000\r\n\r\n" + ours, true, 400},
	"a wrong chunk":   {"POST /containers/create HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", false, 400},
	"two lengths":     {"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", false, 400},
	"an expectation":  {"POST /containers/create HTTP/1.1\r\nHost: d\r\nExpect: miracles\r\nContent-Length: 5\r\n\r\n", false, 417},
	"another service": {strings.Replace(creating("{"), "containers/create", "services/x/update?version=1", 1), false, 400},
}

// What can't be translated is refused, unless the engine is known not to be for Windows containers.
func TestWhatCannotBeTranslatedIsRefused(t *testing.T) {
	for name, c := range untranslatable {
		_, e, client, in := translated(t, "windows")
		say(t, client, get+c.request)
		if c.end {
			client.CloseWrite()
		}
		if status, _ := heard(t, in); status != 200 {
			t.Fatalf("status %d", status)
		}
		status, body := heard(t, in)
		if status != c.status || !strings.Contains(body, "can't be translated") || strings.Contains(body, "HostConfig") {
			t.Errorf("%s: status %d, %s; want %d", name, status, body, c.status)
		}
		if got := e.took(); len(got) > 0 {
			t.Errorf("%s: the engine was asked for %q", name, got)
		}
	}
}

// A question that is not answered is no answer: the client waits as long as one does whose carrier is frozen, then
// it is told.
func TestAnUnknownEngineGetsNothingUntranslated(t *testing.T) {
	refused := func(name string, in *bufio.Reader, e *taker, want int) {
		t.Helper()
		if status, body := heard(t, in); status != want || !strings.HasPrefix(body, `{"message":"`) {
			t.Errorf("%s: status %d, %s", name, status, body)
		}
		if got := e.took(); len(got) > 0 {
			t.Errorf("%s: the engine was asked for %q", name, got)
		}
	}
	for _, body := range []string{ours, linux, "{"} {
		_, e, c, in := translated(t, "")
		say(t, c, creating(body))
		refused("no OSType", in, e, 503)
	}

	b, e, c, in := translated(t, "windows")
	say(t, c, get)
	heard(t, in)
	thaw := b.frost.freeze(t)
	say(t, c, creating(ours))
	refused("frozen", in, e, 503)
	thaw()

	b, e, c, in = translated(t, "windows")
	say(t, c, get)
	heard(t, in)
	b.listen.Close()
	say(t, c, creating(ours))
	refused("an engine that is gone", in, e, 503)

	broken := buildIn(t, map[string]Dial{}, func() (paths.Drives, error) { return paths.Drives{}, errors.New("no list of mounts") })
	_, e, c, in = translatedBy(t, broken, "windows")
	say(t, c, creating(ours))
	refused("no list of mounts", in, e, 503)
	c, in = broken.another(t)
	say(t, c, creating(neither))
	if status, _ := heard(t, in); status != 200 {
		t.Errorf("without a path: status %d", status)
	}
}

// A freeze that ends in time is none.
func TestACreateWaitsForAShortFreeze(t *testing.T) {
	b, e, c, in := translated(t, "windows")
	say(t, c, get)
	heard(t, in)
	thaw := b.frost.freeze(t)
	say(t, c, creating(ours))
	time.AfterFunc(fresh, thaw)
	if status, body := heard(t, in); status != 200 {
		t.Errorf("status %d, %s", status, body)
	}
	if got := e.took(); !slices.Equal(got, []string{theirs}) {
		t.Errorf("the engine was asked for %q", got)
	}
}

// An update of a service, and every address that an engine routes to a creation, is translated.
func TestEveryAddressOfACreation(t *testing.T) {
	for _, target := range []string{"/services/web/update?version=3", "/containers/%63reate", "http://docker/v1.41/containers/create?name=x", "/v1.57/services/create"} {
		_, e, c, in := translated(t, "windows")
		body, want := ours, theirs
		if strings.Contains(target, "services") {
			const service = `{"TaskTemplate":{"ContainerSpec":{"Mounts":[{"Source":%q,"Target":"C:\\x"}]}}}`
			body, want = fmt.Sprintf(service, "/mnt/c/src"), fmt.Sprintf(service, `C:\src`)
		}
		say(t, c, strings.Replace(creating(body), "/v1.41/containers/create", target, 1))
		if status, said := heard(t, in); status != 200 {
			t.Errorf("%s: status %d, %s", target, status, said)
		}
		if got := e.took(); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: the engine was asked for %q", target, got)
		}
	}
}

// What is no HTTP passes, and the link's log tells of it.
func TestWhatIsNoHTTPIsWarnedOf(t *testing.T) {
	for _, said := range []string{"hello\r\n\r\n", "\x16\x03\x01\x02", "GET / HTTP/3.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: gzip\r\n\r\n"} {
		b, _, c, _ := translated(t, "windows")
		say(t, c, said)
		c.CloseWrite()
		b.warns(t, "engine: paths are not translated: what is said on a connection is no HTTP/1")
	}
}

// Nothing is done for a client that has left, or whose session has ended.
func TestNothingIsDoneForAClientThatHasLeft(t *testing.T) {
	b := build(t)
	l, err := net.Listen("unix", b.socket+".other")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := dialPlain(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{peer: peer{session: b.host.session}}
	left := func(end func()) {
		t.Helper()
		tr := &translation{agent: a, relay: relay.New(client, nil, relay.Clients)}
		over := time.After(30 * time.Second)
		tr.whileClientWaits(func(ctx context.Context) {
			if end(); true {
				select {
				case <-ctx.Done():
				case <-over:
				}
			}
			if !errors.Is(context.Cause(ctx), relay.ErrLeft) {
				t.Errorf("%v", context.Cause(ctx))
			}
		})
	}
	left(func() { far.Close() })
	client, err = dialPlain(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	left(func() { b.host.Close() })
}

// An agent that is busy with a client's request has not left, whatever has become of its streams.
func TestABusyAgentHasNotLeft(t *testing.T) {
	busy, free := make(chan struct{}), make(chan struct{})
	b := buildIn(t, map[string]Dial{}, func() (paths.Drives, error) {
		drives, err := cDrive()
		return drives.FollowingLinks(func(string) string {
			close(busy)
			<-free
			return "/"
		}), err
	})
	_, _, c, _ := translatedBy(t, b, "windows")
	say(t, c, creating(linux))
	<-busy
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = b.host.CloseBy(ctx) // cuts the stream
	if b.host.AgentLeft() {
		t.Error("it is taken for one that has left")
	}
	close(free)
	<-b.ended
}
