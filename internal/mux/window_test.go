package mux

import (
	"bytes"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
)

// carry has n bytes go from a writer to a reader, and wants them.
func carry(t *testing.T, from, to *Stream, n int) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := from.Write(make([]byte, n))
		sent <- err
	}()
	got, err := io.CopyN(io.Discard, to, int64(n))
	if err != nil || got != int64(n) {
		t.Fatalf("%d bytes of %d, %v", got, n, err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

func windowOf(st *Stream) int {
	st.session.mu.Lock()
	defer st.session.mu.Unlock()
	return st.window
}

// Streams that have carried much and are idle now, or whose one direction has ended, keep no window from a new one:
// it grows as if it were alone.
func TestIdleStreamsReturnTheirWindows(t *testing.T) {
	for _, ended := range []bool{false, true} {
		host, agent := memory(t)
		var clients, engines []*Stream
		for len(clients) < 80 {
			client, engine := connect(t, agent, host)
			clients, engines = append(clients, client), append(engines, engine)
			for range 8 {
				if carry(t, engine, client, 2<<20); windowOf(client) == maxWindow {
					break
				}
			}
			if ended {
				_ = engine.CloseWrite()
				if _, err := client.Read(make([]byte, 1)); err != io.EOF {
					t.Fatal(err)
				}
			}
		}
		client, engine := connect(t, agent, host)
		carry(t, engine, client, 32<<20)
		if n := windowOf(client); n != maxWindow {
			t.Errorf("ended %t: beside 80 idle streams a window of %d, want %d", ended, n, maxWindow)
		}
		for _, s := range []*Session{host, agent} {
			if err := windowsAddUp(s); err != nil {
				t.Error(err)
			}
		}
		for i, c := range clients { // and they go on
			if !ended {
				carry(t, engines[i], c, 100_000)
			}
			c.Close()
			engines[i].Close()
		}
		client.Close()
		engine.Close()
		expectNoStreams(t, host, agent)
		if agent.extra != 0 || !agent.grown.isEmpty() {
			t.Errorf("%d bytes of window budget not given back", agent.extra)
		}
	}
}

// A window may be asked back at any time: every byte arrives, and the accounts add up.
func TestWindowsAreAskedBackAtAnyTime(t *testing.T) {
	seed := rand.Uint64()
	host, agent := memory(t)
	ask := func(r *rand.Rand) {
		for _, s := range []*Session{host, agent} {
			s.mu.Lock()
			for _, st := range s.streams {
				if st.window > initialWindow && !st.peerEnded && r.IntN(2) == 0 {
					s.queueControlFrame(st, sendReclaim)
				}
			}
			s.mu.Unlock()
			if err := windowsAddUp(s); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
		}
	}
	var carrying sync.WaitGroup
	for i := range 8 {
		client, engine := connect(t, agent, host)
		content := bytes.Repeat([]byte{byte(i), 1, 2, 3, 4, 5, 6}, 300_000)
		for _, way := range []struct{ from, to *Stream }{{client, engine}, {engine, client}} {
			carrying.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(i+2)))
				for at := 0; at < len(content); {
					n := min(1+r.IntN(50_000), len(content)-at)
					if _, err := way.from.Write(content[at : at+n]); err != nil {
						t.Errorf("seed %d: %v", seed, err)
						return
					}
					if at += n; r.IntN(8) == 0 {
						ask(r)
					}
				}
				_ = way.from.CloseWrite()
			})
			carrying.Go(func() {
				if got, err := io.ReadAll(way.to); err != nil || !bytes.Equal(got, content) {
					t.Errorf("seed %d: %d bytes of %d, %v", seed, len(got), len(content), err)
				}
			})
		}
	}
	carrying.Wait()
}

// What may be sent is returned when it is asked for, but for the first bytes, and once.
func TestReclaimIsAnsweredByReturn(t *testing.T) {
	s, peer := rawPeer(t, Host)
	const more = 100_000
	open := append(appendHeader(nil, frameOpen, 1, 1), 'x')
	reclaim := appendHeader(nil, frameReclaim, 1, 0)
	peer.send(append(append(appendUint32Frame(open, frameWindow, 1, more), reclaim...), reclaim...))
	offer, err := s.Accept()
	if err != nil {
		t.Fatal(err)
	}
	peer.send(appendUint64Frame(nil, framePing, 1))
	for _, want := range []string{"RETURN stream 1", "PONG 1"} { // there is no second one
		if got := peer.next(); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	s.mu.Lock()
	left := offer.stream.sendWindow
	s.mu.Unlock()
	if left != initialWindow {
		t.Errorf("%d bytes may be sent", left)
	}
}
