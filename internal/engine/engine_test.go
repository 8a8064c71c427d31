package engine

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

type dialer = func(context.Context) (net.Conn, error)

// answering is an engine, or something else, that reads a request and answers with text.
func answering(text string) dialer {
	return func(context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			r, err := http.ReadRequest(bufio.NewReader(far))
			if err != nil || r.Method != "GET" || r.URL.Path != "/_ping" {
				return
			}
			io.WriteString(far, text)
		}()
		return near, nil
	}
}

// silent accepts and never answers; it counts the connections that are still open.
func silent(open *atomic.Int32) dialer {
	return func(context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		open.Add(1)
		go func() {
			io.Copy(io.Discard, far)
			open.Add(-1)
		}()
		return near, nil
	}
}

func failing(err error) dialer {
	return func(context.Context) (net.Conn, error) { return nil, err }
}

const (
	windowsAnswer = "HTTP/1.1 200 OK\r\nApi-Version: 1.47\r\nOstype: Windows\r\nServer: Docker/27.3.1 (windows)\r\nContent-Length: 2\r\n\r\nOK"
	linuxAnswer   = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nServer: Docker/20.10.24 (linux)\r\nContent-Length: 2\r\n\r\nOK"
)

func TestProbe(t *testing.T) {
	for _, tc := range []struct {
		name, answer string
		want         Info
	}{
		{"windows", windowsAnswer, Info{"windows", "1.47", "Docker/27.3.1 (windows)", "27.3.1"}},
		{"linux", linuxAnswer, Info{"linux", "1.41", "Docker/20.10.24 (linux)", "20.10.24"}},
		{"an engine that is unwell", strings.Replace(linuxAnswer, "200 OK", "500 Oh", 1), Info{"linux", "1.41", "Docker/20.10.24 (linux)", "20.10.24"}},
		{"no server named", "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOSType: linux\r\n\r\n", Info{"linux", "1.41", "", ""}},
		{"words for a terminal", "HTTP/1.1 200 OK\r\nApi-Version: 1\u202e\r\nOSType: linux\r\nServer: " + strings.Repeat("é", printable.Max) + "\r\n\r\n", Info{"linux", "1\ufffd", strings.Repeat("é", printable.Max/2) + "...", ""}},
	} {
		got, err := Probe(t.Context(), answering(tc.answer))
		if got != tc.want || err != nil {
			t.Errorf("%s: %+v, %v", tc.name, got, err)
		}
	}
}

func TestProbeOfWhatIsNoEngine(t *testing.T) {
	for name, answer := range map[string]string{
		"silence":           "",
		"an SSH server":     "SSH-2.0-OpenSSH_9.2 secret\r\n",
		"a web server":      "HTTP/1.1 200 OK\r\nServer: secret\r\nContent-Length: 2\r\n\r\nOK",
		"an endless header": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("secret", 1<<20),
		"a cut answer":      linuxAnswer[:len(linuxAnswer)-1],
	} {
		_, err := Probe(t.Context(), answering(answer))
		if !errors.Is(err, ErrNotEngine) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %.200v", name, err)
		}
	}
	if _, err := Probe(t.Context(), failing(fs.ErrPermission)); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("an error of dial: %v", err)
	}
}

func TestProbeIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var open atomic.Int32
	_, err := Probe(ctx, func(ctx context.Context) (net.Conn, error) {
		defer cancel()
		return silent(&open)(ctx)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestFindTakesTheFirstWindowsEngineInOrder(t *testing.T) {
	answers := map[string]dialer{
		"gone": failing(fs.ErrNotExist), "forbidden": failing(fs.ErrPermission),
		"linux": answering(linuxAnswer), "windows": answering(windowsAnswer), "second": answering(windowsAnswer),
	}
	dial := func(ctx context.Context, name string) (net.Conn, error) { return answers[name](ctx) }
	name, info, err := FindEngine(t.Context(), []string{"gone", "linux", "windows", "second", "forbidden"}, dial)
	if name != "windows" || info.Version != "27.3.1" || err != nil {
		t.Errorf("%s, %+v, %v", name, info, err)
	}
}

func TestFindTellsWhatItSaw(t *testing.T) {
	answers := map[string]dialer{
		"gone": failing(&fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}), "forbidden": failing(fs.ErrPermission),
		"linux": answering(linuxAnswer), "busy": failing(os.ErrDeadlineExceeded), "web": answering("HTTP/1.1 200 OK\r\n\r\n"), "odd": failing(io.ErrShortBuffer),
	}
	dial := func(ctx context.Context, name string) (net.Conn, error) { return answers[name](ctx) }
	_, _, err := FindEngine(t.Context(), []string{"gone", "forbidden", "linux", "busy", "web", "odd"}, dial)
	want := "no windows engine found (gone: not there; forbidden: access denied; linux: a linux engine; busy: no answer; web: no docker engine; odd: ping engine: short buffer)"
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v, want\n%v", err, want)
	}
	var notFound *NotFoundError
	if !errors.As(err, &notFound) || notFound.Seen[2].Info.OSType != "linux" {
		t.Errorf("%+v", notFound)
	}
}

// One pipe that accepts and never answers costs 3 s, however many there are, and nothing stays open.
func TestSilentPipesCostThreeSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open atomic.Int32
		began := time.Now()
		dial := func(ctx context.Context, name string) (net.Conn, error) {
			if name == "windows" {
				return answering(windowsAnswer)(ctx)
			}
			return silent(&open)(ctx)
		}
		name, _, err := FindEngine(t.Context(), []string{"silent 1", "silent 2", "windows", "silent 3"}, dial)
		if name != "windows" || err != nil {
			t.Errorf("%s, %v", name, err)
		}
		if took := time.Since(began); took != probeTimeout {
			t.Errorf("took %v", took)
		}
		_, _, err = FindEngine(t.Context(), []string{"silent"}, dial)
		if err == nil || err.Error() != "no windows engine found (silent: no answer)" {
			t.Errorf("error %v", err)
		}
		synctest.Wait()
		if open.Load() != 0 {
			t.Errorf("%d connections left open", open.Load())
		}
	})
}

func TestFindIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := FindEngine(ctx, PipeNames(), func(ctx context.Context, _ string) (net.Conn, error) { return nil, ctx.Err() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// FuzzProbe has anything answer at the pipe.
func FuzzProbe(f *testing.F) {
	f.Add(windowsAnswer)
	f.Add(linuxAnswer)
	f.Add("HTTP/1.1 500 Internal Server Error\r\nApi-Version: 1.41\r\nOstype: linux\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n")
	f.Add("SSH-2.0-OpenSSH_9.2\r\n")
	f.Fuzz(func(t *testing.T, answer string) {
		info, err := Probe(t.Context(), answering(answer))
		if (err == nil) != (info.OSType != "" && info.APIVersion != "") {
			t.Errorf("%+v, %v", info, err)
		}
		said := []string{info.OSType, info.APIVersion, info.Server, info.Version}
		if err != nil {
			said = append(said, err.Error())
		}
		for _, s := range said {
			if len(s) > printable.Max+50 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) && r != unicode.ReplacementChar }) {
				t.Errorf("fit for no terminal: %q", s)
			}
		}
	})
}
