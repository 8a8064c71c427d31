package relay

import (
	"context"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
)

// What many connections held while bytes flowed goes back to the system soon after, without
// anybody asking the runtime to collect.
func TestIdleConnectionsGiveTheirMemoryBack(t *testing.T) {
	const streams = 256
	x, y := net.Pipe()
	host, agent := mux.New(x, mux.Host), mux.New(y, mux.Agent)
	t.Cleanup(func() { host.Close(); agent.Close() })
	before := heapInUse()
	var given Memory
	for range streams {
		client, agentConn := net.Pipe()
		stream, err := agent.Open("engine")
		if err != nil {
			t.Fatal(err)
		}
		r := New(agentConn, stream, Clients)
		r.Memory = &given
		go r.Run()
		t.Cleanup(func() { client.Close() })
		go func() { _, _ = client.Write(make([]byte, 64<<10)) }() // a short one shows below
		offer, err := host.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.ReadFull(offer.Accept(), make([]byte, 64<<10)); err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for tick := time.Tick(50 * time.Millisecond); ; {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if held := int64(m.HeapInuse) - before; held < streams*LargeBuffer/2 {
			return
		}
		select {
		case <-tick:
		case <-ctx.Done():
			t.Fatalf("%d KiB are held for each", (int64(m.HeapInuse)-before)>>10/streams)
		}
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}
