package bridge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
)

// shows waits until the statistics say so.
func shows(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not shown: %s", what)
		}
	}
}

func ownProgram(t *testing.T) string {
	t.Helper()
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(file)
}

// pass has one say something that the other gets.
func pass(t *testing.T, from, to net.Conn, text string) {
	t.Helper()
	say(t, from, text)
	if _, err := io.ReadFull(to, make([]byte, len(text))); err != nil {
		t.Fatal(err)
	}
}

// Who has connected, for how long, and what has gone each way: told while it lasts, summed up after it.
func TestFlowsTellWhoIsCarried(t *testing.T) {
	b := build(t)
	var books Stats
	b.host.CountIn(&books)
	b.serve(t, "engine")
	if flows := b.host.FlowsOf(t.Context(), "engine"); len(flows) > 0 {
		t.Errorf("nothing is carried, and told are %+v", flows)
	}
	began := time.Now()
	client, engine := b.connect(t)
	pass(t, client, engine, "question")
	pass(t, engine, client, "the answer")
	shows(t, "the bytes", func() bool { s := books.TotalsOf("engine"); return s.Sent == 8 && s.Got == 10 })
	flows := b.host.FlowsOf(t.Context(), "engine")
	if len(flows) != 1 {
		t.Fatalf("%d flows", len(flows))
	}
	f := flows[0]
	if f.ID == 0 || f.Link != "engine" || f.Since.Before(began) || f.Sent != 8 || f.Got != 10 {
		t.Errorf("%+v", f)
	}
	if want := (Peer{UID: uint32(os.Geteuid()), PID: int32(os.Getpid()), Program: ownProgram(t)}); f.Peer != want {
		t.Errorf("peer %+v, want %+v", f.Peer, want)
	}
	if others := b.host.FlowsOf(t.Context(), "other"); len(others) > 0 {
		t.Errorf("of another link: %+v", others)
	}
	client.Close()
	engine.Close()
	shows(t, "the end", func() bool { return len(b.host.FlowsOf(t.Context(), "engine")) == 0 })
	if s := books.TotalsOf("engine"); s.Connections != 1 || s.Sent != 8 || s.Got != 10 || s.Cut != 0 || len(s.Refused) > 0 {
		t.Errorf("%+v", s)
	}
}

// A kept connection shows what it is at now, and nothing of what its client has written.
func TestFlowsTellTheCall(t *testing.T) {
	b, _, c, in := translated(t, "linux")
	for _, step := range []struct{ say, want string }{
		{"GET /v1.41/info?secret=1 HTTP/1.1\r\nHost: secret\r\n\r\n", "GET /info"},
		{"GET /v1.41/secret/json HTTP/1.1\r\nHost: secret\r\n\r\n", "GET /*/json"},
	} {
		say(t, c, step.say)
		heard(t, in)
		flows := b.host.FlowsOf(t.Context(), "engine")
		if len(flows) != 1 || flows[0].Peer.Call != step.want {
			t.Errorf("%+v, want %s", flows, step.want)
		}
	}
}

// What a client of a reverse link asks for first is told, without a word of its own.
func TestFlowsOfAReverseLinkTellTheCall(t *testing.T) {
	b := build(t)
	b.host.CountIn(&Stats{})
	b.reverse(t, KindDocker)
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET /v1.41/containers/secret/logs?secret=1 HTTP/1.1\r\nHost: secret\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	engine, err := b.listen.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	shows(t, "the call", func() bool {
		flows := b.host.FlowsOf(t.Context(), "back")
		return len(flows) == 1 && flows[0].Peer == (Peer{Call: "logs"})
	})
}

// More than one answer has room for.
func TestFlowsComeInPages(t *testing.T) {
	const many = 2*maxPage + 1
	b := build(t)
	b.serve(t, "engine")
	for range many {
		client, engine := b.connect(t)
		pass(t, client, engine, "x")
	}
	known := 0
	for _, f := range b.host.FlowsOf(t.Context(), "engine") {
		if f.Peer.PID == int32(os.Getpid()) {
			known++
		}
	}
	if known != many {
		t.Errorf("of %d peers %d are told", many, known)
	}
}

// What ends otherwise is counted otherwise.
func TestBooksTellRefusalsAndCuts(t *testing.T) {
	b := buildWith(t, map[string]Dial{
		"denied": func(context.Context) (net.Conn, error) { return nil, os.ErrPermission },
	})
	var books Stats
	b.host.CountIn(&books)
	b.serve(t, "engine")
	other := filepath.Join(filepath.Dir(b.socket), "denied.sock")
	if _, err := b.host.Listen(t.Context(), Listen{Link: "denied", Socket: other, Owner: "root:docker"}); err != nil {
		t.Fatal(err)
	}
	refused, err := net.Dial("unix", other)
	if err != nil {
		t.Fatal(err)
	}
	defer refused.Close()
	shows(t, "the refusal", func() bool { return books.TotalsOf("denied").Refused[WhyDenied] == 1 })
	client, engine := b.connect(t)
	pass(t, client, engine, "x")
	b.agent.Close()
	shows(t, "the cut", func() bool { return books.TotalsOf("engine").Cut == 1 })
	if s := books.TotalsOf("denied"); s.Connections != 0 || s.Cut != 0 {
		t.Errorf("%+v", s)
	}
}

// A client that has yet to take an answer that has come is not cut when the bridge ends: it has the
// time that was given, although the agent has left by then.
func TestAnEndWaitsForASlowClient(t *testing.T) {
	b := build(t)
	var books Stats
	b.host.CountIn(&books)
	b.reverse(t, "")
	answer := bytes.Repeat([]byte("answer "), 35_000) // more than a socket holds
	client, engine := b.connect(t)
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(engine); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Write(answer); err != nil {
		t.Fatal(err)
	}
	engine.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- b.host.CloseBy(ctx) }()
	if err := <-b.ended; err != nil {
		t.Errorf("the agent: %v", err)
	}
	<-b.host.Done()
	if got, err := io.ReadAll(client); !bytes.Equal(got, answer) || err != nil {
		t.Errorf("%d bytes of %d, %v", len(got), len(answer), err)
	}
	if err := <-closed; err != nil || !b.host.AgentLeft() {
		t.Errorf("%v, left %v", err, b.host.AgentLeft())
	}
	if s := books.TotalsOf("back"); s.Cut != 0 || s.Got != int64(len(answer)) {
		t.Errorf("%+v", s)
	}
}

// liar is an agent that answers the questions for peers as it likes, and the last answer for ever. What
// it warns of is told.
func liar(t *testing.T, warned func(link, text string), answers ...string) (*Host, *mux.Session) {
	t.Helper()
	ours, theirs := net.Pipe()
	joined := make(chan *Host, 1)
	go func() {
		h, err := Join(t.Context(), ours, BuildID{1}, map[string]Dial{"link": func(context.Context) (net.Conn, error) {
			near, far := net.Pipe()
			t.Cleanup(func() { far.Close() })
			return near, nil
		}}, warned, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Error(err)
		}
		joined <- h
	}()
	_, err := theirs.Write(appendHello(nil, BuildID{1}))
	if err = errors.Join(err, readHello(t.Context(), theirs, BuildID{1})); err != nil {
		t.Fatal(err)
	}
	s := mux.New(theirs, mux.Agent)
	h := <-joined
	t.Cleanup(func() { h.Abort(); s.Close() })
	go func() {
		for i := 0; ; i++ {
			offer, err := s.Accept()
			if err != nil {
				return
			}
			stream := offer.Accept()
			_, _ = stream.Read(make([]byte, 1000))
			_, _ = io.WriteString(stream, answers[min(i, len(answers)-1)]+"\n")
			_ = stream.Close()
		}
	}()
	return h, s
}

// What a hostile distro tells of its programs is short, harmless, and of streams that there are.
func TestPeersOfAHostileAgent(t *testing.T) {
	for name, tc := range map[string]struct {
		answers []string
		want    Peer
	}{
		"escapes":       {[]string{`{"peers":{"known":[{"id":1,"uid":0,"pid":5,"program":"\u001b[2Jdocker\nX","call":"GET /x"}]}}`}, Peer{PID: 5, Program: "\ufffd[2Jdocker\ufffdX", Call: "GET /x"}},
		"a call":        {[]string{`{"peers":{"known":[{"id":1,"uid":0,"pid":5,"call":"\u001b[2J"}]}}`}, Peer{PID: 5}},
		"a long name":   {[]string{`{"peers":{"known":[{"id":1,"uid":0,"pid":-5,"program":"` + strings.Repeat("x", 1000) + `"}]}}`}, Peer{Program: strings.Repeat("x", maxProgram)}},
		"others only":   {[]string{`{"peers":{"known":[{"id":3,"uid":0,"pid":5}]}}`}, Peer{}},
		"no end":        {[]string{`{"peers":{"known":[{"id":3,"uid":0,"pid":5}],"more":true}}`, `{"peers":{"known":[{"id":3,"uid":0,"pid":5}],"more":true}}`}, Peer{}},
		"another field": {[]string{`{"peers":{"known":[{"id":1,"uid":0,"pid":5,"host":"x"}]}}`}, Peer{}},
		"nothing":       {[]string{`{"peers":{"more":true}}`}, Peer{}},
		"else":          {[]string{`{"users":1}`}, Peer{}},
	} {
		t.Run(name, func(t *testing.T) {
			h, s := liar(t, nil, tc.answers...)
			if _, err := s.Open("link"); err != nil {
				t.Fatal(err)
			}
			var flows []Flow
			shows(t, "the flow", func() bool { return len(h.stats.sessionFlows(&h.peer, "link")) == 1 })
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if flows = h.FlowsOf(ctx, "link"); ctx.Err() != nil {
				t.Error("it asks and asks")
			}
			if len(flows) != 1 || flows[0].Peer != tc.want {
				t.Errorf("%+v, want %+v", flows, tc.want)
			}
		})
	}
}

// What a hostile distro warns of is one bounded and harmless line about a link that there is, or nothing.
func TestWarningsOfAHostileAgent(t *testing.T) {
	for said, want := range map[string]string{
		`{"link":"link","warning":"it is full"}`:                              "link: it is full",
		`{"link":"link","warning":"\u001b[2J\nlevel=INFO \u202e"}`:            "link: \ufffd[2J\ufffdlevel=INFO \ufffd",
		`{"link":"link","warning":"` + strings.Repeat("x", 3000) + `"}`:       "link: " + strings.Repeat("x", 3000),
		`{"link":"link","warning":"` + strings.Repeat("x", maxWarning) + `"}`: "",
		`{"link":"link\n","warning":"x"}`:                                     "",
		`{"warning":"x"}`:                                                     "",
		`{"link":"link","warning":"x","more":1}`:                              "",
		`{"link":"link","warning":"x"} {"link":"link","warning":"x"}`:         "",
		`{"peers":{}}`: "", "x": "", "": "",
	} {
		told := ""
		_, s := liar(t, func(link, text string) { told += link + ": " + text }, "")
		stream, err := s.Open(controlLink)
		if err != nil {
			t.Fatal(err)
		}
		_ = stream.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = io.WriteString(stream, said) // the host may have enough before the end
		_ = stream.CloseWrite()
		if _, err := io.ReadAll(stream); err != nil { // until it has heard it
			t.Error(err)
		}
		if told != want {
			t.Errorf("%.80s is told as %.80q, want %.80q", said, told, want)
		}
	}
}
