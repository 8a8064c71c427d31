package relay

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"
)

// pair is a connection in memory that has half-close: a stream.
func pair(t *testing.T) (a, b *mux.Stream) {
	t.Helper()
	x, y := net.Pipe()
	host, agent := mux.New(x, mux.Host), mux.New(y, mux.Agent)
	t.Cleanup(func() {
		host.Close()
		agent.Close()
	})
	a, err := agent.Open("pair")
	if err != nil {
		t.Fatal(err)
	}
	offer, err := host.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return a, offer.Accept()
}

// A client that reads at leisure gets the whole answer of an engine that reads
// no more, although it had more to say to it: a paused pager is no dead client.
func TestSlowClientGetsTheWholeAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, agentConn := pair(t)
		agentStream, hostStream := pair(t)
		hostConn, engine := pair(t)
		go New(agentConn, agentStream, Clients).Run()
		go New(hostConn, hostStream, Engines).Run()

		const answer = 1 << 20 // more than all windows on the way take
		engine.CloseRead(mux.CodeClosed)
		go func() {
			_, _ = engine.Write(make([]byte, answer)) // a short one shows below
			engine.CloseWrite()
		}()
		if _, err := client.Write([]byte("more")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * lingerTime) // the bubble's clock
		got, err := io.ReadAll(client)
		if len(got) != answer || err != nil {
			t.Errorf("got %d bytes of %d, %v", len(got), answer, err)
		}
		client.Close()
	})
}

// flushing is a connection whose CloseWrite waits until its peer has read
// everything, as that of a Windows pipe does (go-winio, FlushFileBuffers).
type flushing struct {
	*mux.Stream
	entered, flushed chan struct{}
}

func (f *flushing) CloseWrite() error {
	close(f.entered)
	<-f.flushed
	return f.Stream.CloseWrite()
}

// The stream dies while its end is being handed on to an engine that says
// nothing: the engine's connection must not stay for ever.
func TestDeathDuringCloseWriteEndsTheRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		agentStream, hostStream := pair(t)
		hostConn, engine := pair(t)
		conn := &flushing{hostConn, make(chan struct{}), make(chan struct{})}
		over := make(chan struct{})
		go func() {
			New(conn, hostStream, Engines).Run()
			close(over)
		}()
		agentStream.CloseWrite()
		<-conn.entered
		agentStream.Reset(mux.CodeAborted)
		synctest.Wait()
		close(conn.flushed)
		<-over
		if _, err := engine.Read(make([]byte, 1)); err == nil {
			t.Error("the engine's connection goes on")
		}
	})
}

// A client that reads no more may say more after a while: what counts is how long its bytes
// stand still, not how long it had said nothing before.
func TestASilentClientIsNoStuckOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, agentConn := pair(t)
		agentStream, engine := pair(t)
		go New(agentConn, agentStream, Clients).Run()

		const window = 16 << 10 // of a stream that nobody has read from
		if _, err := client.Write(make([]byte, window)); err != nil {
			t.Fatal(err)
		}
		client.CloseRead(mux.CodeClosed)
		synctest.Wait()
		if _, err := engine.Write([]byte("to nobody")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		time.Sleep(lingerTime - time.Second) // the bubble's clock
		if _, err := client.Write([]byte("more")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if got, err := io.ReadFull(engine, make([]byte, window+len("more"))); err != nil {
			t.Errorf("the engine got %d bytes, then %v", got, err)
		}
		client.Close()
		engine.Close()
	})
}

// measured notes how much memory the read under way holds.
type measured struct {
	*mux.Stream
	holds atomic.Int64
}

func (m *measured) Read(b []byte) (int, error) {
	m.holds.Store(int64(len(b)))
	return m.Stream.Read(b)
}

// A connection that has carried much and waits holds little, and goes on as before.
func TestAParkedConnectionHoldsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, agentConn := pair(t)
		agentStream, engine := pair(t)
		conn := &measured{Stream: agentConn}
		over := make(chan struct{})
		go func() {
			New(conn, agentStream, Clients).Run()
			close(over)
		}()
		say := func(n int) {
			t.Helper()
			go func() { _, _ = client.Write(make([]byte, n)) }() // a short one shows below
			if got, err := io.ReadFull(engine, make([]byte, n)); err != nil {
				t.Fatalf("%d of %d bytes, %v", got, n, err)
			}
			synctest.Wait()
		}
		for range 2 {
			say(64 << 10)
			if n := conn.holds.Load(); n != LargeBuffer {
				t.Errorf("it reads with %d bytes while bytes flow", n)
			}
			time.Sleep(2 * parkTime) // the bubble's clock
			if n := conn.holds.Load(); n != SmallBuffer {
				t.Errorf("it waits with %d bytes", n)
			}
			say(1)
		}
		client.CloseWrite()
		if n, err := engine.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("at the end: %d bytes, %v", n, err)
		}
		engine.Close()
		<-over
	})
}
