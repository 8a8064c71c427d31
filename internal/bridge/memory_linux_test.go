package bridge

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/relay"
)

// A hostile agent opens streams, fills their windows with frames of one byte
// and reads nothing, while engines that talk without end take no more than a
// first word. What the host then holds is bounded as docs/security.md says, for
// all its streams together: in mux 32 KiB each and 64 MiB, in the relays two
// buffers of 32 KiB each.
func TestHostileAgentCostsBoundedMemory(t *testing.T) {
	streams := 256
	if os.Getenv("DWB_FULL") != "" {
		streams = 4096 // as many as there can be
	}
	agentEnd, hostEnd := hostileCarrier(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := heapInUse()
	var deaf sync.WaitGroup
	deaf.Add(streams)
	h, err := Join(ctx, hostEnd, BuildID{1}, map[string]Dial{"engine": deafEngine(ctx, deaf.Done)}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, agentEnd, streams)
	deaf.Wait()
	if n := h.CountStreams(); n != streams {
		t.Errorf("%d streams, want %d", n, streams)
	}
	held := heapInUse() - before
	const rest = 4 << 20 // the session itself, and what the runtime rounds up
	allowed := int64(streams)*(32<<10+2*relay.LargeBuffer) + rest
	t.Logf("%d streams: %d MiB are held, %d KiB each; %d MiB are allowed", streams, held>>20, held>>10/int64(streams), allowed>>20)
	if held > allowed {
		t.Errorf("%d bytes are held, %d are allowed", held, allowed)
	}
	// And nothing stays behind, which a leak per stream would.
	if err := agentEnd.Close(); err != nil {
		t.Error(err)
	}
	<-h.Done()
	cancel()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if left := heapInUse() - before; left > allowed/4 {
		t.Errorf("%d bytes are left", left)
	}
}

// heapInUse is what is held: garbage is collected first, twice, since what
// sync.Pool and finalizers hold goes with the second.
func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// hostileCarrier is a carrier whose agent has said hello and knows the host's.
func hostileCarrier(t *testing.T) (agentEnd, hostEnd pipes) {
	t.Helper()
	r1, w1, err1 := os.Pipe()
	r2, w2, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	agentEnd, hostEnd = pipes{r2, w1}, pipes{r1, w2}
	if _, err := agentEnd.Write(appendHello(nil, BuildID{1})); err != nil {
		t.Fatal(err)
	}
	return agentEnd, hostEnd
}

// deafEngine takes 4 KiB, so that the relay believes in large buffers, and tells
// that it is deaf from then on; it sends as long as somebody listens.
func deafEngine(ctx context.Context, deaf func()) Dial {
	flood := make([]byte, relay.LargeBuffer)
	return func(context.Context) (net.Conn, error) {
		ours, theirs := net.Pipe()
		context.AfterFunc(ctx, func() { ours.Close() })
		go func() {
			_, _ = io.CopyN(io.Discard, ours, relay.SmallBuffer)
			deaf()
		}()
		go func() {
			for {
				if _, err := ours.Write(flood); err != nil {
					return
				}
			}
		}()
		return theirs, nil
	}
}

// fill opens streams and uses their first windows up in frames of one byte, in
// turn, so that no two frames of a stream follow each other. It returns when
// the host has taken them all.
func fill(t *testing.T, agent pipes, streams int) {
	t.Helper()
	const open, data, ping, window = 1, 4, 9, 16 << 10 // docs/protocol.md
	out := bufio.NewWriterSize(agent, 1<<20)
	frame := func(kind byte, id int, payload string) {
		var b [8]byte
		b[0] = kind
		binary.BigEndian.PutUint16(b[2:], uint16(len(payload)))
		binary.BigEndian.PutUint32(b[4:], uint32(id))
		_, _ = out.Write(b[:])
		_, _ = out.WriteString(payload)
	}
	for i := range streams {
		frame(open, 2*i+1, "engine")
	}
	for range window {
		for i := range streams {
			frame(data, 2*i+1, "x")
		}
	}
	frame(ping, 0, "12345678")
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	awaitPong(t, agent)
}

// awaitPong reads what the host had to say until it has answered the ping,
// which it does before all else.
func awaitPong(t *testing.T, agent pipes) {
	t.Helper()
	const pong = 10
	in := bufio.NewReader(agent)
	if _, err := io.CopyN(io.Discard, in, int64(helloSize)); err != nil {
		t.Fatal(err)
	}
	for {
		var b [8]byte
		if _, err := io.ReadFull(in, b[:]); err != nil {
			t.Fatal(err)
		}
		if b[0] == pong {
			return
		}
		if _, err := io.CopyN(io.Discard, in, int64(binary.BigEndian.Uint16(b[2:]))); err != nil {
			t.Fatal(err)
		}
	}
}

// An idle stream has one goroutine in each half, which waits for its connection.
func TestAnIdleStreamHasOneGoroutineAHalf(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	const streams = 20
	for range streams {
		client, engine := b.connect(t)
		pass(t, client, engine, "question")
		pass(t, engine, client, "answer")
	}
	shows(t, "one goroutine a half", func() bool {
		stacks := make([]byte, 4<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		relays := bytes.Count(stacks, []byte("relay.(*Relay).copyPieces("))
		return relays == 2*streams && !bytes.Contains(stacks, []byte("relay.(*Relay).carryToConn("))
	})
}
