package endpoint

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// urgentByte is in no other data of these tests.
const urgentByte = 200

// sending is one thing that a client does; a negative size is as much, the last byte urgent.
type sending struct {
	size   int
	rights bool // a descriptor comes with it
}

// send has a client do it. b has the bytes.
func (s sending) send(t *testing.T, c *net.UnixConn, b []byte) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var rights []byte
	if s.rights {
		rights = unix.UnixRights(int(os.Stdin.Fd()))
	}
	flags := 0
	if s.size < 0 {
		flags = unix.MSG_OOB
	}
	var sendErr error
	err = raw.Write(func(fd uintptr) bool {
		_, sendErr = unix.SendmsgN(int(fd), b, rights, nil, flags)
		return sendErr != unix.EAGAIN
	})
	if err != nil || sendErr != nil {
		t.Fatalf("send %v: %v, %v", s, err, sendErr)
	}
}

// text is what is sent, from byte at on.
func (s sending) text(at int) []byte {
	b := make([]byte, max(s.size, -s.size))
	for i := range b {
		b[i] = byte((at + i) % (urgentByte - 1))
	}
	if s.size < 0 {
		b[len(b)-1] = urgentByte
	}
	return b
}

func sendings(r *rand.Rand) (all []sending) {
	sizes := []int{0, 1, 1, 2, 3, 100, maxHeld - 1, maxHeld, maxHeld + 1, 4000}
	for range 1 + r.IntN(30) {
		s := sending{size: sizes[r.IntN(len(sizes))]}
		switch r.IntN(4) {
		case 0:
			s.size = -max(s.size, 1)
		case 1:
			s.rights = s.size > 0
		}
		all = append(all, s)
	}
	return all
}

// readAll reads to the end, in pieces of the sizes in turn, and at most limit bytes.
func readAll(c io.Reader, sizes []int, limit int) (got []byte, err error) {
	for i := 0; err == nil && len(got) < limit; i++ {
		var n int
		b := make([]byte, min(sizes[i%len(sizes)], limit-len(got)))
		n, err = c.Read(b)
		got = append(got, b[:n]...)
	}
	if err == io.EOF {
		err = nil
	}
	return got, err
}

func inline(t *testing.T, c net.Conn) {
	t.Helper()
	raw, err := c.(*unixConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var optErr error
	err = raw.Control(func(fd uintptr) { optErr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_OOBINLINE, 1) })
	if err != nil || optErr != nil {
		t.Fatal(err, optErr)
	}
}

// Whatever a client marks as urgent, we read what a plain reader does.
func TestUnixUrgentDataLeavesNoHole(t *testing.T) {
	if !urgentData(t) {
		t.Skip("this kernel has no urgent data on unix sockets")
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	pair := sockets(t, plainly)
	for round := range 300 {
		all := sendings(r)
		sizes := []int{1 + r.IntN(3000), 1 + r.IntN(100), 5000}
		before, early := r.IntN(len(all)), r.IntN(2) == 0
		isInline := r.IntN(3) == 0
		what := fmt.Sprintf("seed %d, round %d, inline %t, %d of %v first", seed, round, isInline, before, all)
		read := func(plain bool) []byte {
			client, ours, err := pair()
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			defer ours.Close()
			_ = ours.SetDeadline(time.Now().Add(30 * time.Second))
			var reader io.Reader = ours
			if plain {
				reader = ours.(*unixConn).UnixConn
			}
			if isInline {
				inline(t, ours)
			}
			at, urgent, first := 0, false, []byte(nil)
			for i, s := range all {
				if early && i == before && !urgent { // of urgent data it would depend on the time
					if first, err = readAll(reader, sizes, at); err != nil {
						t.Fatalf("%s: %v", what, err)
					}
				}
				s.send(t, client.(*net.UnixConn), s.text(at))
				at += len(s.text(at))
				urgent = urgent || s.size < 0
			}
			if err := client.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got, err := readAll(reader, sizes, 1<<30)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			return append(first, got...)
		}
		if got, want := read(false), read(true); !bytes.Equal(got, want) {
			t.Fatalf("%s: %d bytes, a plain reader gets %d", what, len(got), len(want))
		}
	}
}

// A reader that runs beside its client may get an urgent byte that another one came behind, as any reader; of the
// other bytes it misses none.
func TestUnixUrgentDataWhileItIsRead(t *testing.T) {
	if !urgentData(t) {
		t.Skip("this kernel has no urgent data on unix sockets")
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	pair := sockets(t, plainly)
	for round := range 200 {
		client, ours, err := pair()
		if err != nil {
			t.Fatal(err)
		}
		_ = ours.SetDeadline(time.Now().Add(30 * time.Second))
		all, sizes := sendings(r), []int{1 + r.IntN(3000), 1 + r.IntN(100), 5000}
		var want []byte
		over := make(chan struct{})
		go func() {
			defer close(over)
			at := 0
			for _, s := range all {
				b := s.text(at)
				s.send(t, client.(*net.UnixConn), b)
				at += len(b)
				want = append(want, b...)
			}
			_ = client.CloseWrite()
		}()
		got, err := readAll(ours, sizes, 1<<30)
		<-over
		isUrgent := func(b byte) bool { return b == urgentByte }
		got, want = slices.DeleteFunc(got, isUrgent), slices.DeleteFunc(want, isUrgent)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("seed %d, round %d, %v: %d bytes of %d, %v", seed, round, all, len(got), len(want), err)
		}
		client.Close()
		ours.Close()
	}
}

// urgentData tells whether the kernel has it.
func urgentData(t *testing.T) bool {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	return unix.Sendto(fds[0], []byte("x"), unix.MSG_OOB, nil) == nil
}

// A descriptor that comes with a message is closed when that is read, however short it is and
// however little comes behind.
func TestUnixDescriptorsAreClosed(t *testing.T) {
	for _, size := range []int{1, 2, 100, maxHeld, maxHeld + 1, 5000} {
		for _, before := range []int{0, 1, 100} {
			client, ours := peers(t)
			if before > 0 {
				if _, err := client.Write(make([]byte, before)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(ours, make([]byte, before)); err != nil {
					t.Fatal(err)
				}
			}
			pipe, sent, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := client.WriteMsgUnix(make([]byte, size), unix.UnixRights(int(sent.Fd())), nil); err != nil {
				t.Fatal(err)
			}
			sent.Close()
			if _, err := io.ReadFull(ours, make([]byte, size)); err != nil {
				t.Fatal(err)
			}
			_ = pipe.SetReadDeadline(time.Now().Add(30 * time.Second))
			if n, err := pipe.Read(make([]byte, 1)); n > 0 || err != io.EOF {
				t.Errorf("with %d bytes behind %d: %v", size, before, err)
			}
			pipe.Close()
		}
	}
}

// What is written apart ends a read of the far side's, late or quick, short or long, and leaves it no descriptor.
func TestUnixWriteApartEndsARead(t *testing.T) {
	descriptors := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	client, ours := peers(t)
	b := make([]byte, 64<<10)
	before := descriptors()
	for round := range 5000 {
		head := make([]byte, []int{1, 100, maxApart, maxApart + 1, 5000}[round%5])
		awaited := make(chan error, 1)
		read := func() {
			got := 0
			for got < len(head) {
				n, err := client.Read(b)
				if err != nil {
					awaited <- err
					return
				}
				got += n
			}
			if got > len(head) {
				awaited <- fmt.Errorf("with the %d bytes of the head came %d more", len(head), got-len(head))
				return
			}
			awaited <- nil
		}
		if round%2 == 0 {
			go read()
		}
		if n, err := ours.(*unixConn).WriteApart(head); n != len(head) || err != nil {
			t.Fatalf("%d of %d bytes, %v", n, len(head), err)
		}
		if _, err := ours.Write([]byte("frame")); err != nil {
			t.Fatal(err)
		}
		if round%2 != 0 {
			go read()
		}
		if err := <-awaited; err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if _, err := io.ReadFull(client, b[:len("frame")]); err != nil || string(b[:len("frame")]) != "frame" {
			t.Fatalf("round %d: %q, %v", round, b[:len("frame")], err)
		}
	}
	if after := descriptors(); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
	client.Close()
	if n, err := ours.(*unixConn).WriteApart([]byte("head")); n > 0 || err == nil {
		t.Errorf("to nobody: %d, %v", n, err)
	}
}
