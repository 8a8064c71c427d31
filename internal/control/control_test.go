package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

// The test binary is its own other instance.
func TestMain(m *testing.M) {
	if len(os.Args) < 3 || os.Args[1] != "play" {
		os.Exit(m.Run())
	}
	time.AfterFunc(time.Minute, func() { os.Exit(99) }) // no child outlives its test by more
	_, err := OpenInstance(context.Background(), os.Args[2], place, handler(nil))
	if err != nil {
		os.Stdout.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString("ready\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

var place = Place{"Debian", "/run/docker-wsl-bridge/windows.sock"}

func handler(stop func()) Handler {
	return Handler{
		Status: func(context.Context) Status {
			return Status{PID: os.Getpid(), State: "ready", Works: true, Since: time.Now(), Link: Link{Distro: place.Distro, Socket: place.Socket}}
		},
		Traffic: func(context.Context) Traffic {
			return Traffic{At: time.Now(), Links: []LinkTraffic{{PID: os.Getpid(), Link: Link{Name: "windows"}, Streams: []Stream{{ID: 3, Sent: 5}}}}}
		},
		Stop: stop,
	}
}

func openAt(t *testing.T, dir string, p Place, h Handler) *Instance {
	t.Helper()
	i, err := OpenInstance(t.Context(), dir, p, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
	return i
}

// runDir is short enough for a socket's path, and its user's alone.
func runDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "dwb-control-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "docker-wsl-bridge", "run")
}

func one(t *testing.T, dir string) Found {
	t.Helper()
	found, err := ListStatus(t.Context(), dir)
	if err != nil || len(found) != 1 || found[0].Err != nil {
		t.Fatalf("found %+v, %v; want one", found, err)
	}
	return found[0]
}

func none(t *testing.T, dir string) {
	t.Helper()
	if found, err := ListStatus(t.Context(), dir); err != nil || len(found) != 0 {
		t.Errorf("found %+v, %v; want none", found, err)
	}
}

func TestStatusIsTold(t *testing.T) {
	dir := runDir(t)
	none(t, dir)
	i := openAt(t, dir, place, handler(nil))
	f := one(t, dir)
	if f.Place != place || f.PID != os.Getpid() || !f.Status.Works || f.Status.State != "ready" {
		t.Errorf("found %+v", f)
	}
	other := Place{"Debian", "/run/other.sock"}
	j := openAt(t, dir, other, handler(nil))
	if found, err := ListStatus(t.Context(), dir); err != nil || len(found) != 2 {
		t.Errorf("found %+v, %v; want both", found, err)
	}
	if err := errors.Join(i.Close(), j.Close()); err != nil {
		t.Error(err)
	}
	none(t, dir)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestTrafficIsTold(t *testing.T) {
	dir := runDir(t)
	openAt(t, dir, place, handler(nil))
	got, err := AskTraffic(t.Context(), one(t, dir).At)
	if err != nil || len(got.Links) != 1 || got.Links[0].Link.Name != "windows" || got.Links[0].Streams[0].Sent != 5 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whoever asks for the end hears of it when it has come, and not before.
func TestStopWaitsForTheEnd(t *testing.T) {
	dir := runDir(t)
	asked := make(chan struct{})
	i := openAt(t, dir, place, handler(func() { close(asked) }))
	at := one(t, dir).At
	stopped := make(chan error, 1)
	go func() { stopped <- StopInstance(t.Context(), at) }()
	<-asked
	// Longer than a request may take to come in.
	select {
	case err := <-stopped:
		t.Fatalf("it returned before the end: %v", err)
	case <-time.After(requestTime + time.Second):
	}
	one(t, dir) // it still answers
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if err := StopInstance(t.Context(), at); err != nil {
		t.Errorf("once more: %v", err)
	}
}

// Whoever drains is told at the end what was cut, and what he asks for is bounded.
func TestDrainTellsTheEnd(t *testing.T) {
	dir := runDir(t)
	asked := make(chan time.Duration, 1)
	h := handler(nil)
	h.Drain, h.Drained = func(within time.Duration) { asked <- within }, func() int64 { return 3 }
	i := openAt(t, dir, place, h)
	at := one(t, dir).At
	for _, query := range []string{"", "?timeoutSeconds=x", "?timeoutSeconds=-1", "?timeoutSeconds=NaN", "?timeoutSeconds=1e9"} {
		if got := raw(t, at, "POST /v1/drain"+query+" HTTP/1.1\r\nHost: x\r\n\r\n"); got != http.StatusBadRequest {
			t.Errorf("%s: status %d", query, got)
		}
	}
	type end struct {
		cut int64
		err error
	}
	ended := make(chan end, 1)
	go func() {
		cut, err := DrainInstance(t.Context(), at, 90*time.Second+time.Millisecond)
		ended <- end{cut, err}
	}()
	if within := <-asked; within != 90*time.Second+time.Millisecond {
		t.Errorf("it was given %v", within)
	}
	one(t, dir) // it still answers
	select {
	case e := <-ended:
		t.Errorf("it returned before the end: %+v", e)
	default:
	}
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	if e := <-ended; e.cut != 3 || e.err != nil {
		t.Errorf("%+v", e)
	}
	if cut, err := DrainInstance(t.Context(), at, 0); cut != 0 || err != nil {
		t.Errorf("one that is not there: %d, %v", cut, err)
	}
}

func TestStopIsBounded(t *testing.T) {
	dir := runDir(t)
	openAt(t, dir, place, handler(func() {}))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := StopInstance(ctx, one(t, dir).At); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one that does not end: %v", err)
	}
}

// otherInstance is another process that has the place.
func otherInstance(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "play", dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); _ = cmd.Wait() })
	if said, err := bufio.NewReader(stdout).ReadString('\n'); said != "ready\n" {
		t.Fatalf("the other instance said %q, %v", said, err)
	}
	return cmd
}

func TestASecondInstanceIsToldWhoRuns(t *testing.T) {
	dir := runDir(t)
	other := otherInstance(t, dir)
	for _, p := range []Place{place, {"debian", place.Socket}} { // WSL ignores the case
		_, err := OpenInstance(t.Context(), dir, p, handler(nil))
		var runs *RunsError
		if !errors.As(err, &runs) || runs.Status.PID != other.Process.Pid {
			t.Errorf("%v", err)
		}
	}
	if f := one(t, dir); f.PID != other.Process.Pid {
		t.Errorf("found %+v", f)
	}
}

// What a killed instance leaves is in nobody's way.
func TestAKilledInstanceIsForgotten(t *testing.T) {
	dir := runDir(t)
	other := otherInstance(t, dir)
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	if left, err := os.ReadDir(dir); err != nil || len(left) == 0 {
		t.Fatalf("it left %v, %v", left, err)
	}
	openAt(t, dir, place, handler(nil))
	if f := one(t, dir); f.PID != os.Getpid() {
		t.Errorf("found %+v", f)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.json")); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
}

func TestFilesOfOthersAreLeftAlone(t *testing.T) {
	dir := runDir(t)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"notes.json": "{}", "half.json.new": "", "empty.json": "", "x.1.json": `{"pid":1,"distro":"x","socket":"/x"}`,
		"long.json": strings.Repeat(" ", maxRecord+1),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	none(t, dir)
	if left, err := os.ReadDir(dir); err != nil || len(left) != len(files) {
		t.Errorf("left: %v, %v", left, err)
	}
}

// What a request may be: small, soon, and one of two.
func TestRequestsAreBounded(t *testing.T) {
	dir := runDir(t)
	openAt(t, dir, place, handler(func() { t.Error("it was asked to stop") }))
	at := one(t, dir).At
	for request, want := range map[string]int{
		"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n":                                           http.StatusOK,
		"GET /v2/status HTTP/1.1\r\nHost: x\r\n\r\n":                                           http.StatusNotFound,
		"GET /v1/stop HTTP/1.1\r\nHost: x\r\n\r\n":                                             http.StatusNotFound,
		"POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n":                     http.StatusNotFound,
		"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n":          http.StatusRequestHeaderFieldsTooLarge,
		"no request at all\r\n\r\n":                                                            http.StatusBadRequest,
		"GET /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nand never more": http.StatusOK,
	} {
		if got := raw(t, at, request); got != want {
			t.Errorf("%.60q: status %d, want %d", request, got, want)
		}
	}
	// Those that say nothing are cut, so that they keep nobody out.
	silent, err := at.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	silent.SetDeadline(time.Now().Add(requestTime + 10*time.Second))
	if n, err := silent.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a silent client: %d bytes, %v", n, err)
	}
}

// raw sends bytes and returns the status of the answer.
func raw(t *testing.T, at endpoint.Endpoint, request string) int {
	t.Helper()
	conn, err := at.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { _, _ = io.WriteString(conn, request) }() // it may not be wanted to its end
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Errorf("%.60q: %v", request, err)
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

// The examples of docs/control.md are answers, whole and with nothing else.
// Who waits for a link is told as soon as it is served, and how it is when the time is over. Nobody is asked for that.
func TestWhoWaitsIsToldWhenItServes(t *testing.T) {
	dir := runDir(t)
	serves, asked := make(chan struct{}), make(chan struct{}, 10)
	h := handler(nil)
	status := h.Status
	h.Settled = func(ctx context.Context) Status {
		s := status(ctx)
		asked <- struct{}{}
		select {
		case <-serves:
		case <-ctx.Done():
			s.State = "starting"
		}
		return s
	}
	openAt(t, dir, place, h)
	at := one(t, dir).At
	if s, err := AwaitSettled(t.Context(), at, 10*time.Millisecond); err != nil || s.State != "starting" {
		t.Errorf("%+v, %v", s, err)
	}
	<-asked
	told := make(chan []Found)
	go func() {
		found, _ := ListSettled(t.Context(), dir, time.Minute)
		told <- found
	}()
	<-asked
	close(serves)
	if found := <-told; len(found) != 1 || found[0].Err != nil || found[0].Status.State != "ready" {
		t.Errorf("%+v", found)
	}
	if _, err := AwaitSettled(t.Context(), at, 2*maxSettle); err == nil {
		t.Error("a wait without a bound")
	}
}

// One that does not know how to wait, or for which too many wait, is asked for its status.
func TestWhoCannotWaitIsAsked(t *testing.T) {
	dir := runDir(t)
	openAt(t, dir, place, handler(nil))
	if found, err := ListSettled(t.Context(), dir, 2*maxSettle); err != nil || len(found) != 1 || found[0].Err != nil || found[0].Status.State != "ready" {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestDocumentedAnswers(t *testing.T) {
	documented(t, "GET /v1/status", &Status{})
	documented(t, "GET /v1/streams", &Traffic{})
}

func documented(t *testing.T, request string, v any) {
	t.Helper()
	page, err := os.ReadFile("../../docs/control.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "### "+request+"\n")
	_, rest, has := strings.Cut(rest, "```json\n")
	example, _, ends := strings.Cut(rest, "```")
	if !found || !has || !ends {
		t.Fatalf("docs/control.md has no example of %s", request)
	}
	d := json.NewDecoder(strings.NewReader(example))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatal(err)
	}
	var got, want bytes.Buffer
	b, err := json.Marshal(v)
	if err = errors.Join(err, json.Indent(&got, b, "", "  "), json.Indent(&want, []byte(strings.TrimSpace(example)), "", "  ")); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Errorf("an answer is\n%s\nand the page says\n%s", &got, &want)
	}
}
