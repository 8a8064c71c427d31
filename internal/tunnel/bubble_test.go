package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// bubble is a tunnel whose carrier leads to an agent in the same process and the same
// bubble of time (testing/synctest).
type bubble struct {
	*Tunnel
	t       *testing.T
	host    *bridge.Host
	carrier *frosty // the agent's end
	began   time.Time

	mu     sync.Mutex
	runs   bool                        // the distro
	gone   bool                        // it is not there at all
	others int                         // who uses it besides us
	probe  func(context.Context) error // what a fresh wsl.exe does in the distro
	asked  []string                    // of wsl.exe, in a word each
	events []string                    // what was reported, and when
}

// inBubble runs a test with a distro that runs and nobody uses, and whose wsl.exe works.
func inBubble(t *testing.T, test func(b *bubble)) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		b := &bubble{
			t: t, began: time.Now(), runs: true, carrier: newFrosty(theirs),
			probe: func(context.Context) error { return nil },
		}
		b.Tunnel = &Tunnel{
			Distro: "D", Agent: deploy.Binary{Hash: bridge.BuildID{1}.String()},
			WSL: distro.ScriptedWSL(b.said), Report: b.report, Log: slog.New(slog.DiscardHandler),
		}
		agent := make(chan error, 1)
		go func() {
			agent <- bridge.RunAgent(context.Background(), b.carrier, bridge.BuildID{1}, bridge.Distro{Users: b.users}, b.Log)
		}()
		var err error
		if b.host, err = bridge.Join(t.Context(), ours, bridge.BuildID{1}, nil, b.reportWarning, b.Log); err != nil {
			t.Fatal(err)
		}
		b.SetLinks(nil, true)
		test(b)
		b.host.Abort()
		b.carrier.Close()
		b.host.AwaitRelays()
		<-agent // however it ended
	})
}

func (b *bubble) users() (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.others, nil
}

// said is wsl.exe.
func (b *bubble) said(ctx context.Context, args []string) ([]byte, error) {
	b.mu.Lock()
	runs, gone, probe := b.runs, b.gone, b.probe
	list, all := slices.Equal(args, wsl.RunningArgs()), slices.Equal(args, wsl.ListArgs())
	word := "list"
	if !list && !all {
		word = args[slices.Index(args, "-e")+2]
		b.runs = true // it starts what does not
	}
	b.asked = append(b.asked, word)
	b.mu.Unlock()
	switch {
	case list && runs, all && !gone:
		return []byte("other\r\nD\r\n"), ctx.Err()
	case list, all:
		return []byte("other\r\n"), ctx.Err()
	}
	return nil, probe(ctx)
}

// asleep is a fresh wsl.exe that comes no further than the old one.
func asleep(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func (b *bubble) report(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, fmt.Sprint(time.Since(b.began), " ", e.State))
}

// set changes what the bubble is like.
func (b *bubble) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

// wantEvents wants exactly these, with their times since the beginning.
func (b *bubble) wantEvents(want ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.events, want) {
		b.t.Errorf("reported %q, want %q", b.events, want)
	}
}

// count is how often wsl.exe was asked for something.
func (b *bubble) count(word string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(strings.Join(b.asked, " ")+" ", word+" ")
}

// watched runs watch until the test has ended, or it has.
func (b *bubble) watched(during func()) error {
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- b.watchCarrier(ctx, b.host) }()
	during()
	synctest.Wait()
	cancel()
	return <-ended
}

// frosty is a carrier that can stand still.
type frosty struct {
	io.ReadWriteCloser
	closed chan struct{}
	close  func()

	mu    sync.Mutex
	moves chan struct{} // closed while it does
}

func newFrosty(c io.ReadWriteCloser) *frosty {
	f := &frosty{ReadWriteCloser: c, closed: make(chan struct{}), moves: make(chan struct{})}
	f.close = sync.OnceFunc(func() { close(f.closed) })
	f.thaw()
	return f
}

func (f *frosty) freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moves = make(chan struct{})
}

func (f *frosty) thaw() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.moves)
}

func (f *frosty) wait() error {
	f.mu.Lock()
	moves := f.moves
	f.mu.Unlock()
	select {
	case <-moves:
		return nil
	case <-f.closed:
		return net.ErrClosed
	}
}

func (f *frosty) Read(b []byte) (int, error) {
	n, err := f.ReadWriteCloser.Read(b)
	return n, errors.Join(err, f.wait())
}

func (f *frosty) Write(b []byte) (int, error) {
	if err := f.wait(); err != nil {
		return 0, err
	}
	return f.ReadWriteCloser.Write(b)
}

func (f *frosty) Close() error {
	f.close()
	return f.ReadWriteCloser.Close()
}
