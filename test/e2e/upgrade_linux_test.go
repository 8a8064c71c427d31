package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/websocket"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// waiting creates a container that waits for its start and reads one client's
// input, and removes it with the test.
func waiting(ctx context.Context, t *testing.T, s *stage.Stage, name, script string) {
	t.Helper()
	direct := straight(s)
	direct.must(ctx, t, s, "create", "-i", "--network", "none", "--name", name, s.Docker.Image, "sh", "-c", script)
	t.Cleanup(func() { direct.must(context.WithoutCancel(ctx), t, s, "rm", "-f", name) })
}

// startAndEnd starts a container and gives a function that waits for its end
// and wants it to have this exit code.
func (r route) startAndEnd(ctx context.Context, t *testing.T, s *stage.Stage, name, code string) (ended func()) {
	t.Helper()
	r.must(ctx, t, s, "start", name)
	return func() {
		t.Helper()
		if got := r.must(ctx, t, s, "wait", name); got != code+"\n" {
			t.Errorf("%s: exit code %q, want %s", r.name, got, code)
		}
	}
}

// demultiplex takes an attached container's stream apart: each piece has a
// head of 8 bytes, whose first names the stream and whose last four are the
// size.
func demultiplex(t *testing.T, r io.Reader) outcome {
	t.Helper()
	var streams [3]bytes.Buffer
	for {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); errors.Is(err, io.EOF) {
			return outcome{stdout: streams[1].String(), stderr: streams[2].String()}
		} else if err != nil || head[0] < 1 || head[0] > 2 {
			t.Fatalf("head %v, %v", head, err)
		}
		if _, err := io.CopyN(&streams[head[0]], r, int64(binary.BigEndian.Uint32(head[4:]))); err != nil {
			t.Fatal(err)
		}
	}
}

// countTo is what seq 1 n says.
func countTo(n int) string {
	var said strings.Builder
	for i := range n {
		fmt.Fprintln(&said, i+1)
	}
	return said.String()
}

const attachQuery = "stream=1&stdin=1&stdout=1&stderr=1"

// An attached connection stops being HTTP, with an upgrade or, as old clients
// have it, without. The container says most of what it has to say after its
// input has ended, which only a half-close can tell it.
func TestAttachUpgradeHalfClose(t *testing.T) {
	t.Parallel()
	t.Run("101", func(t *testing.T) { onBothByWindows(t, attachUpgraded) })
	t.Run("200", func(t *testing.T) {
		onBothByWindows(t, func(ctx context.Context, t *testing.T, s *stage.Stage, ways ...route) {
			attachHalfClose(ctx, t, s, ways, http.StatusOK, "Content-Length: 0")
		})
	})
}

func attachUpgraded(ctx context.Context, t *testing.T, s *stage.Stage, ways ...route) {
	attachHalfClose(ctx, t, s, ways, http.StatusSwitchingProtocols, "Connection: Upgrade", "Upgrade: tcp", "Content-Length: 0")
}

func attachHalfClose(ctx context.Context, t *testing.T, s *stage.Stage, ways []route, status int, lines ...string) {
	t.Helper()
	input, err := io.ReadAll(noise(1_000_000))
	if err != nil {
		t.Fatal(err)
	}
	var heads []outcome
	for _, r := range ways {
		name := "half-" + r.name
		waiting(ctx, t, s, name, "cat; sleep 1; seq 1 1000; echo err >&2; exit 3")
		d := r.talk(t, s)
		d.say(t, request(http.MethodPost, "/containers/"+name+"/attach?"+attachQuery, lines...))
		resp, err := http.ReadResponse(d.in, &http.Request{Method: http.MethodPost})
		if err != nil || resp.StatusCode != status {
			t.Fatalf("%s: %+v, %v", r.name, resp, err)
		}
		heads = append(heads, outcome{stdout: d.heard.String()})
		ended := r.startAndEnd(ctx, t, s, name, "3")
		sent := make(chan error, 1)
		go func() {
			_, err := d.Write(input)
			sent <- errors.Join(err, d.CloseWrite())
		}()
		o := demultiplex(t, d.in)
		if err := <-sent; err != nil {
			t.Errorf("%s: send: %v", r.name, err)
		}
		if want := string(input) + countTo(1000); o.stdout != want || o.stderr != "err\n" {
			t.Errorf("%s: %d bytes came back of %d, or others; stderr %q", r.name, len(o.stdout), len(want), o.stderr)
		}
		ended()
	}
	for _, head := range heads {
		same(t, head, heads[0], "http")
	}
}

// A websocket has frames of its own, both ways.
func TestAttachWebsocket(t *testing.T) {
	t.Parallel()
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	const size = 1_000_000
	input, err := io.ReadAll(noise(size))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []route{direct, bridged} {
		name := "socket-" + r.name
		waiting(ctx, t, s, name, "head -c 1000000; seq 1 1000; exit 3")
		d := r.talk(t, s)
		config, err := websocket.NewConfig("ws://docker/v1.41/containers/"+name+"/attach/ws?"+attachQuery, "http://docker")
		if err != nil {
			t.Fatal(err)
		}
		ws, err := websocket.NewClient(config, d)
		if err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		ws.PayloadType = websocket.BinaryFrame
		ended := r.startAndEnd(ctx, t, s, name, "3")
		sent := make(chan error, 1)
		go func() {
			_, err := io.Copy(ws, struct{ io.Reader }{bytes.NewReader(input)}) // a frame for every 32 KiB
			sent <- err
		}()
		got, err := io.ReadAll(ws)
		if err := errors.Join(err, <-sent); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
		if want := string(input) + countTo(1000); string(got) != want {
			t.Errorf("%s: %d bytes came back of %d, or others", r.name, len(got), len(want))
		}
		ended()
	}
}
