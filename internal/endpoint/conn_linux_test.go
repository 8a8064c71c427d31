package endpoint

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/nettest"
	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
)

// sockets makes connections through a socket of Listen: what was dialled by dial, and what
// came out of the listener.
func sockets(t *testing.T, dial func(path string) (net.Conn, error)) func() (dialled, accepted halfclose.Conn, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path, Access{Mode: 0o600, Uid: os.Geteuid(), Gid: os.Getegid()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return func() (dialled, accepted halfclose.Conn, err error) {
		c, err := dial(path)
		if err != nil {
			return nil, nil, err
		}
		s, err := l.Accept()
		if err != nil {
			return nil, nil, errors.Join(err, c.Close())
		}
		return c.(halfclose.Conn), s.(halfclose.Conn), nil
	}
}

// byDial dials as the host does.
func byDial(t *testing.T) func(path string) (net.Conn, error) {
	return func(path string) (net.Conn, error) { return unixAt(t, path).Dial(context.Background()) }
}

// plainly dials as any program does.
func plainly(path string) (net.Conn, error) { return net.Dial("unix", path) }

func TestUnixHalfClose(t *testing.T) {
	pair := sockets(t, byDial(t))
	halfclose.Test(t, func(t *testing.T) (client, engine halfclose.Conn) {
		client, engine, err := pair()
		if err != nil {
			t.Fatal(err)
		}
		return client, engine
	})
}

func TestUnixIsAConn(t *testing.T) {
	pair := sockets(t, byDial(t))
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		c1, c2, err = pair()
		return c1, c2, func() { c1.Close(); c2.Close() }, err
	})
}

// peers is a plain client and what the listener made of it.
func peers(t *testing.T) (client *net.UnixConn, ours halfclose.Conn) {
	t.Helper()
	c, s, err := sockets(t, plainly)()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	for _, c := range []net.Conn{c, s} {
		c.SetDeadline(time.Now().Add(30 * time.Second))
	}
	return c.(*net.UnixConn), s
}

// A client tells a reset from an end of stream, whatever it has sent and we have read.
func TestUnixResetIsNotAnEnd(t *testing.T) {
	for _, tc := range []struct {
		name string
		sent []string // each is read before the next is sent
		more string   // this is not read
		told bool     // whether a reset can be told at all
	}{
		{"a request", []string{"GET / HTTP/1.1\r\n\r\n"}, "", true},
		{"one byte", []string{"x"}, "", true},
		{"several", []string{"a", "bc", string(make([]byte, maxHeld)), "d"}, "", true},
		{"long, then short", []string{string(make([]byte, 5000)), "x"}, "", true},
		{"unread bytes", []string{"x"}, string(make([]byte, 100_000)), true},
		{"nothing", nil, "", false},
		{"something long", []string{string(make([]byte, maxHeld+1))}, "", false},
	} {
		for _, reset := range []bool{true, false} {
			client, ours := peers(t)
			for _, s := range tc.sent {
				if _, err := io.WriteString(client, s); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(s)+1000) // all of it in one go
				if n, err := ours.Read(got); err != nil || string(got[:n]) != s {
					t.Fatalf("%s: read %d bytes of %d, %v", tc.name, n, len(s), err)
				}
			}
			if _, err := io.WriteString(client, tc.more); err != nil {
				t.Fatal(err)
			}
			answer := bytes.Repeat([]byte("answer "), 5000)
			if _, err := ours.Write(answer); err != nil {
				t.Fatal(err)
			}
			var err, want error
			if reset {
				err = ours.(Resetter).Reset()
			} else {
				err = ours.Close()
			}
			if reset && tc.told {
				want = unix.ECONNRESET
			}
			if err != nil {
				t.Error(err)
			}
			if got, err := io.ReadAll(client); !bytes.Equal(got, answer) || !errors.Is(err, want) {
				t.Errorf("%s, reset %t: %d bytes of %d, then %v", tc.name, reset, len(got), len(answer), err)
			}
		}
	}
}

// A byte that is held back is in nobody's way: a client that polls, and whose buffer
// is small, can send on.
func TestUnixHeldByteDoesNotStopItsSender(t *testing.T) {
	for _, size := range []int{1, 100, maxHeld} { // what is longer is not held
		client, ours := peers(t)
		raw, err := client.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) { // the kernel doubles it
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 9472/2)
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if _, err := ours.Read(make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
		var writable int
		raw.Control(func(fd uintptr) {
			writable, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, 0)
		})
		if writable != 1 || err != nil {
			t.Errorf("after %d bytes a client that polls is not told to go on, %v", size, err)
		}
		const rest = 1 << 20
		sent := make(chan error, 1)
		go func() {
			_, err := client.Write(make([]byte, rest)) // waits for room again and again
			sent <- errors.Join(err, client.CloseWrite())
		}()
		if got, err := io.ReadAll(ours); len(got) != rest || err != nil {
			t.Errorf("after %d bytes: %d bytes of %d, %v", size, len(got), rest, err)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}
}

// A client that waits for room in its buffer learns that nobody reads any more; and a reset
// after that is still one.
func TestUnixCloseReadWakesASenderThatPolls(t *testing.T) {
	client, ours := peers(t)
	sent := make(chan error, 1)
	go func() {
		_, err := client.Write(make([]byte, 1<<20)) // more than a socket holds
		sent <- err
	}()
	raw, err := client.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for room := 1; room > 0; { // until the sender waits
		raw.Control(func(fd uintptr) {
			room, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, 0)
		})
	}
	if err := ours.(interface{ CloseRead() error }).CloseRead(); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; !errors.Is(err, unix.EPIPE) {
		t.Errorf("write: %v", err)
	}
	if _, err := io.WriteString(ours, "answer"); err != nil {
		t.Fatal(err)
	}
	ours.(Resetter).Reset()
	if got, err := io.ReadAll(client); string(got) != "answer" || !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("read %q, %v", got, err)
	}
}

// A byte that is held back may carry a descriptor, at which the kernel ends a read: what
// follows comes as it was sent.
func TestUnixDescriptorsDoNotDisturbTheBytes(t *testing.T) {
	for _, size := range []int{1, 2, 3, 4096} { // of what is read at a time
		client, ours := peers(t)
		rights := unix.UnixRights(0)
		var want, got []byte
		for i, with := range []bool{true, false, true, true, false, true} {
			for _, s := range []string{"a", "bcd", "e", "fghijklm"} {
				s = string(rune('0'+i)) + s
				if i%2 == 0 {
					s = s[1:]
				}
				var oob []byte
				if with {
					oob = rights
				}
				if _, _, err := client.WriteMsgUnix([]byte(s), oob, nil); err != nil {
					t.Fatal(err)
				}
				want = append(want, s...)
				for b := make([]byte, size); len(got) < len(want); {
					n, err := ours.Read(b)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, b[:n]...)
				}
			}
		}
		if err := client.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(ours)
		if got = append(got, rest...); !bytes.Equal(got, want) || err != nil {
			t.Errorf("read %d at a time: %q, %v, want %q", size, got, err, want)
		}
	}
}

// Close drops what is unread: whoever still reads gets what was before that, or nothing.
func TestUnixCloseLeavesNoHoleInWhatIsRead(t *testing.T) {
	sent := make([]byte, 64<<10)
	for i := range sent {
		sent[i] = byte(i % 251)
	}
	pair := sockets(t, plainly)
	for i := range 500 {
		client, ours, err := pair()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Write(sent); err != nil {
			t.Fatal(err)
		}
		read := make(chan []byte)
		go func() {
			var got []byte
			b := make([]byte, 1000)
			for {
				n, err := ours.Read(b)
				got = append(got, b[:n]...)
				if err != nil {
					read <- got
					return
				}
			}
		}()
		for range i % 50 {
			runtime.Gosched()
		}
		ours.Close()
		if got := <-read; !bytes.HasPrefix(sent, got) {
			t.Fatalf("after %d rounds %d bytes with a hole", i, len(got))
		}
		client.Close()
	}
}

// What is relayed is read in many pieces: none of them may cost memory.
func TestUnixReadsCostNoMemory(t *testing.T) {
	client, ours := peers(t)
	for _, size := range []int{1, 1000, 4096, 32 << 10} {
		said, got := make([]byte, size), make([]byte, 32<<10)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := client.Write(said); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAtLeast(ours, got, size); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("a read of %d bytes makes %v allocations", size, n)
		}
	}
}
