package bridge

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// frame is a frame of docs/protocol.md.
func frame(typ byte, id uint32, payload string) []byte {
	b := []byte{typ, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	return append(binary.BigEndian.AppendUint32(b, id), payload...)
}

// Types of frames.
const (
	fOpen, fAccept, fRefuse, fData, fEnd = 1, 2, 3, 4, 5
	fReset, fPong, fGoAway               = 7, 10, 11
)

func frames(all ...[]byte) []byte { return bytes.Join(all, nil) }

// play says the hello and then these bytes to a half of the bridge, ends the carrier, and
// throws away what the half says.
func play(said []byte) (near io.ReadWriteCloser) {
	near, far := net.Pipe()
	greeted := make(chan struct{})
	go func() {
		_, _ = io.CopyN(io.Discard, far, int64(helloSize))
		close(greeted)
		_, _ = io.Copy(io.Discard, far)
	}()
	go func() {
		defer far.Close()
		_, _ = far.Write(append(appendHello(nil, BuildID{1}), said...)) // the half may have enough before the end
		<-greeted
	}()
	return near
}

// ends makes a failure of a hang.
func ends(t *testing.T, what string, f func()) {
	t.Helper()
	over := make(chan struct{})
	go func() { f(); close(over) }()
	select {
	case <-over:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s does not end", what)
	}
}

// silent is a listener that nobody comes to.
type silent struct {
	once   sync.Once
	closed chan struct{}
}

func (l *silent) Accept() (net.Conn, error) { <-l.closed; return nil, net.ErrClosed }
func (l *silent) Close() error              { l.once.Do(func() { close(l.closed) }); return nil }
func (l *silent) Addr() net.Addr            { return nil }

func ownAgent() (Agent, error) { return Agent{PID: 7, Started: 1}, nil }

func dialNobody(context.Context, string) (net.Conn, error) { return nil, fs.ErrNotExist }

// FuzzAgent has a host that says anything: the agent ends with its carrier, and so do its
// sockets.
func FuzzAgent(f *testing.F) {
	listen := `{"listen":{"link":"docker","socket":"/run/x.sock"}}` + "\n"
	f.Add(frames(frame(fOpen, 2, controlLink), frame(fData, 2, listen), frame(fEnd, 2, "")))
	f.Add(frames(frame(fOpen, 2, controlLink), frame(fData, 2, listen+listen), frame(fReset, 2, "\x00\x00\x00\x00")))
	f.Add(frames(frame(fOpen, 2, controlLink), frame(fData, 2, "{}\n"), frame(fData, 2, `{"x":1}`+"\n")))
	f.Add(frames(frame(fOpen, 2, "docker"), frame(fGoAway, 0, "")))
	f.Add(frames(frame(fOpen, 2, controlLink), frame(fData, 2, `{"lead":{"link":"linux","socket":"/x"}}`+"\n"), frame(fOpen, 4, "linux"), frame(fData, 4, "GET")))
	f.Add(frames(frame(fGoAway, 0, ""), frame(fPong, 0, "\x00\x00\x00\x00\x00\x00\x00\x01")))
	f.Fuzz(func(t *testing.T, said []byte) {
		var mu sync.Mutex
		var opened []*silent
		open := func(Listen) (net.Listener, Listening, error) {
			mu.Lock()
			defer mu.Unlock()
			l := &silent{closed: make(chan struct{})}
			opened = append(opened, l)
			return l, Listening{Mode: "0600", Owner: "root:root"}, nil
		}
		ends(t, "the agent", func() {
			_ = RunAgent(context.Background(), play(said), BuildID{1}, Distro{Open: open, Users: func() (int, error) { return 1, nil }, Drives: cDrive, Self: ownAgent, Dial: dialNobody}, slog.New(slog.DiscardHandler)) // any error will do
		})
		for _, l := range opened {
			select {
			case <-l.closed:
			default:
				t.Error("a socket is left")
			}
		}
	})
}

// FuzzHost has an agent that says anything: the host ends with its carrier, and so does
// every connection to the engine; what it believes of a socket is plain.
func FuzzHost(f *testing.F) {
	where := `{"listening":{"mode":"0660","owner":"root:docker"}}` + "\n"
	f.Add(frames(frame(fAccept, 2, ""), frame(fData, 2, where)))
	f.Add(frames(frame(fAccept, 2, ""), frame(fData, 2, `{"error":{"kind":"in-use","text":"x"}}`+"\n"), frame(fEnd, 2, "")))
	f.Add(frames(frame(fRefuse, 2, "\x00\x01"), frame(fOpen, 1, "engine"), frame(fData, 1, "GET"), frame(fEnd, 1, "")))
	f.Add(frames(frame(fOpen, 1, "engine"), frame(fData, 1, "GET"), frame(fReset, 1, "\x00\x00\x00\x01")))
	f.Add(frames(frame(fOpen, 1, controlLink), frame(fData, 1, `{"link":"engine","warning":"\u001b[2J"}`), frame(fEnd, 1, "")))
	f.Add(frames(frame(fOpen, 1, "unknown"), frame(fOpen, 3, "engine"), frame(fGoAway, 0, "")))
	f.Fuzz(func(t *testing.T, said []byte) {
		var engines sync.WaitGroup
		links := map[string]Dial{"engine": func(context.Context) (net.Conn, error) {
			near, far := net.Pipe()
			engines.Go(func() { _, _ = io.Copy(far, far); far.Close() })
			return near, nil
		}}
		warned := func(_, text string) {
			if !harmless(text) {
				t.Errorf("fit for no terminal: %q", text)
			}
		}
		h, err := Join(t.Context(), play(said), BuildID{1}, links, warned, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err) // the hello was right
		}
		ends(t, "the host", func() {
			where, err := h.Listen(t.Context(), Listen{Link: "engine", Socket: "/run/x.sock"})
			if err == nil && !where.isWellFormed() {
				t.Errorf("it believes %+v", where)
			}
			<-h.Done()
			_ = h.Close() // any error will do
			engines.Wait()
		})
	})
}

// harmless tells whether a text of the agent's is fit for a terminal.
func harmless(text string) bool {
	return len(text) <= printable.Max+3 && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != unicode.ReplacementChar })
}

// FuzzControl reads any bytes as control messages, as the agent's and as the host's.
func FuzzControl(f *testing.F) {
	for _, s := range []string{
		`{"listen":{"link":"docker","socket":"/run/x.sock","mode":"0660","owner":"root:docker"}}`,
		`{"listening":{"mode":"0660","owner":"root:docker"}}`,
		`{"error":{"kind":"in-use","text":"\u001b[2J"}}`,
		`{"listen":null}`, `{} {}`, `[]`, "", "\n\n", `{"error":{"text":"` + strings.Repeat("x", 2000) + `"}}`,
	} {
		f.Add([]byte(s + "\n"))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		type stream struct {
			io.Reader
			io.Writer
		}
		requests := newMessages(stream{bytes.NewReader(said), io.Discard})
		for {
			var r, again request
			if err := requests.receiveMessage(&r); err != nil {
				break
			}
			b, err := json.Marshal(r)
			if err != nil || json.Unmarshal(b, &again) != nil || (r.Listen == nil) != (again.Listen == nil) {
				t.Errorf("%+v is not read back: %v", r, err)
			}
		}
		a, err := newMessages(stream{bytes.NewReader(said), io.Discard}).roundTrip(request{})
		var told *AgentError
		if errors.As(err, &told) && !harmless(told.Text) {
			t.Errorf("fit for no terminal: %q", told.Text)
		}
		if err == nil && a.Error != nil {
			t.Error("an error was not told")
		}
		if a.Listening.isWellFormed() && strings.ContainsAny(a.Listening.Mode+a.Listening.Owner, "\n\x1b ") {
			t.Errorf("taken for plain: %+v", a.Listening)
		}
	})
}
