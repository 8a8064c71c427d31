package bridge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ending is a way in which one program ends a connection, and how the other one, beyond
// the bridge, must see it. Before it, the other has sent a question of two bytes, of which
// the first was read, and has read what it was answered.
type ending struct {
	name string
	end  func(b *bridged, c *net.UnixConn) error
	want error // behind all bytes; nil: end of stream
}

var endings = []ending{
	{"end of stream", func(_ *bridged, c *net.UnixConn) error {
		_, err := c.Read(make([]byte, 1))
		return errors.Join(err, c.CloseWrite())
	}, nil},
	{"close", func(_ *bridged, c *net.UnixConn) error {
		_, err := c.Read(make([]byte, 1))
		return errors.Join(err, c.Close())
	}, nil},
	// With a byte unread: this is what a reset is on a unix socket.
	{"reset", func(_ *bridged, c *net.UnixConn) error { return c.Close() }, unix.ECONNRESET},
	{"carrier lost", func(b *bridged, _ *net.UnixConn) error {
		_ = b.agent.Close() // the session, which sees it at once, closes the other half
		return nil
	}, unix.ECONNRESET},
}

// End of stream, reset and loss arrive as what they are, in both directions, and behind
// every byte that was sent before.
func TestAnEndArrivesAsWhatItWas(t *testing.T) {
	for _, from := range []string{"engine", "client"} {
		for _, e := range endings {
			t.Run(e.name+" of the "+from, func(t *testing.T) {
				b := build(t)
				b.serve(t, "engine")
				other, c := b.connect(t)
				if from == "client" {
					other, c = c, other
				}
				e.check(t, b, c, other)
			})
		}
	}
}

func (e ending) check(t *testing.T, b *bridged, c, other *net.UnixConn) {
	said := bytes.Repeat([]byte("said before the end "), 10_000) // more than one buffer on the way
	if _, err := io.WriteString(other, "??"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	go c.Write(said) // a short one shows below
	got := make([]byte, len(said))
	if _, err := io.ReadFull(other, got); err != nil || !bytes.Equal(got, said) {
		t.Fatalf("what was said before did not arrive: %v", err)
	}
	if err := e.end(b, c); err != nil {
		t.Fatal(err)
	}
	if n, err := other.Read(got); n != 0 || !isOutcome(err, e.want) {
		t.Errorf("read %d bytes, %v; want %v", n, err, e.want)
	}
}

// isOutcome takes nil for the end of a stream.
func isOutcome(err, want error) bool {
	if want == nil {
		return err == io.EOF
	}
	return errors.Is(err, want)
}

// The bytes before a reset arrive although their reader comes late.
func TestResetComesBehindTheBytes(t *testing.T) {
	for _, from := range []string{"engine", "client"} {
		b := build(t)
		b.serve(t, "engine")
		other, c := b.connect(t)
		if from == "client" {
			other, c = c, other
		}
		if _, err := io.WriteString(other, "??"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		said := bytes.Repeat([]byte("said before the reset "), 4000)
		if _, err := c.Write(said); err != nil { // it fits into the buffers on the way
			t.Fatal(err)
		}
		c.Close()
		got, err := io.ReadAll(other)
		if !bytes.Equal(got, said) || !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("reset by the %s: %d bytes of %d, then %v", from, len(got), len(said), err)
		}
	}
}

// A refusal, for whatever reason, is no end of stream to a client that has asked.
func TestRefusalIsNoEndOfStream(t *testing.T) {
	for name, reason := range map[string]error{
		"denied": fs.ErrPermission, "absent": fs.ErrNotExist, "busy": os.ErrDeadlineExceeded, "broken": errors.New("x"),
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan struct{})
			b := buildWith(t, map[string]Dial{"link": func(context.Context) (net.Conn, error) {
				<-asked
				return nil, reason
			}})
			b.serve(t, "link")
			client, err := net.Dial("unix", b.socket)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			client.SetDeadline(time.Now().Add(30 * time.Second))
			_, err = io.WriteString(client, "question")
			close(asked)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(client); len(got) != 0 || !errors.Is(err, unix.ECONNRESET) {
				t.Errorf("read %d bytes, then %v", len(got), err)
			}
		})
	}
}

// An engine that hangs up early while its client still sends has said all it had to say: its
// client gets an end of stream, although what it sent was not taken.
func TestEarlyEndIsAnEnd(t *testing.T) {
	b := build(t)
	b.serve(t, "engine")
	client, engine := b.connect(t)
	if err := engine.CloseRead(); err != nil {
		t.Fatal(err)
	}
	client.SetWriteDeadline(time.Now().Add(30 * time.Second))
	for err := error(nil); err == nil; { // until the bridge takes no more
		_, err = client.Write(make([]byte, 64<<10))
	}
	if _, err := io.WriteString(engine, "413"); err != nil {
		t.Fatal(err)
	}
	engine.Close()
	if got, err := io.ReadAll(client); string(got) != "413" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
