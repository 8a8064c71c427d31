package dockerapi

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A client that waits for 100 Continue gets it of us: the engine hears of the request when it is whole, with
// its length, in HTTP/1.0 as well.
func TestExpectedBody(t *testing.T) {
	for _, c := range []struct{ head, sent, body, want string }{
		{"HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1\r\nContent-Length: 4\r\n\r\n", "abc", "abc!"},
		{"HTTP/1.1\r\nContent-Length: 4\r\nexpect:\r\n 100-Continue\r\n\r\n", "HTTP/1.1\r\nContent-Length: 4\r\n\r\n", "same", "same"},
		{"HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "4\r\nabc!\r\n0\r\n\r\n"},
		{"HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", "HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n", "abc", "abc!"},
	} {
		var out strings.Builder
		words := 0
		r := &Requests{Out: func(p []byte) error { out.Write(p); return nil }, Edit: edit, Continue: func() error { words++; return nil }, Held: new(Held)}
		const first = "POST /containers/create "
		if err := r.Write([]byte(ping + first + c.head)); err != nil || out.String() != ping {
			t.Fatalf("%q, %v", out.String(), err)
		}
		if want := 1 - strings.Count(c.head, "1.0"); words != want {
			t.Errorf("%q: told to go on %d times", c.head, words)
		}
		out.Reset()
		if err := r.Write([]byte(c.body + ping)); err != nil || out.String() != first+c.sent+c.want+ping {
			t.Errorf("%q comes out as %q, %v", c.head, out.String(), err)
		}
		if got, _, err := through(first+c.head+c.body, 1<<20); err != nil || got != first+strings.Replace(c.head, "Content-Length: 3", "Content-Length: 4", 1)+c.want {
			t.Errorf("%q with its body comes out as %q, %v", c.head, got, err)
		}
	}
}

// What is refused is not sent; what was asked before it is.
func TestRefusedRequestIsNotSent(t *testing.T) {
	for _, size := range []int{1, 50, 1000} {
		got, r, err := through(ping+post+"Content-Length: 2\r\n\r\nno"+ping, size)
		if got != ping || !errors.Is(err, errNo) {
			t.Errorf("%q, %v", got, err)
		}
		r.ForgetHeld()
		if r.Held.bytes.Load() != 0 {
			t.Error("something is held still")
		}
	}
}

// A creation that can't be held passes as it is, or not at all, as is decided with the reason.
func TestUnheldCreations(t *testing.T) {
	long := strings.Repeat("x", MaxBody+1)
	for name, c := range map[string]struct {
		said string
		used int64 // by others
		why  error
	}{
		"a length":        {post + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(long)) + long + ping, 0, ErrTooLong},
		"chunks":          {post + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", len(long)) + long + "\r\n0\r\n\r\n" + ping, 0, ErrTooLong},
		"a head":          {post + "X: " + strings.Repeat("y", maxHead) + "\r\nContent-Length: 3\r\n\r\nabc" + ping, 0, ErrTooLong},
		"no room":         {post + "Content-Length: 5000\r\n\r\n" + long[:5000] + ping, maxHeld, ErrTooMuch},
		"no room, chunks": {post + "Transfer-Encoding: chunked\r\n\r\n1388\r\n" + long[:5000] + "\r\n0\r\n\r\n" + ping, maxHeld - 6000, nil},
		"a wrong chunk":   {post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n", 0, ErrMalformed},
		"two lengths":     {post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 0, ErrMalformed},
		"other codings":   {post + "Transfer-Encoding: gzip\r\n\r\nabc", 0, ErrMalformed},
		"an early end":    {post + "Content-Length: 100\r\n\r\n{}", 0, ErrCutShort},
		"expectations":    {post + "Expect: the best\r\nContent-Length: 3\r\n\r\nabc" + ping, 0, ErrExpects},
	} {
		for _, passes := range []bool{true, false} {
			for _, size := range []int{10, 32 << 10} {
				held := new(Held)
				held.bytes.Store(c.used)
				var out bytes.Buffer
				var why []error
				r := &Requests{Out: func(p []byte) error { out.Write(p); return nil }, Held: held, Edit: func(Creation, []byte) ([]byte, error) { return nil, nil },
					Unheld: func(_ Creation, err error) error {
						if why = append(why, err); passes {
							return nil
						}
						return errNo
					}}
				var err error
				for p := []byte(ping + c.said); len(p) > 0 && err == nil; p = p[min(len(p), size):] {
					err = r.Write(p[:min(len(p), size)])
				}
				if err == nil {
					err = r.EndRequests()
				}
				r.ForgetHeld()
				switch all := passes || c.why == nil; {
				case all && (err != nil || out.String() != ping+c.said):
					t.Errorf("%s, in pieces of %d: %v, %d of %d bytes: %.300q", name, size, err, out.Len(), len(ping+c.said), out.String())
				case !all && (!errors.Is(err, errNo) || out.String() != ping):
					t.Errorf("%s, in pieces of %d: %v, %.300q", name, size, err, out.String())
				case c.why != nil && (len(why) != 1 || why[0] != c.why), held.bytes.Load() != c.used:
					t.Errorf("%s, in pieces of %d: %v, %d held", name, size, why, held.bytes.Load()-c.used)
				}
			}
		}
	}
}

// The cost of a request grows with its length alone, whatever pieces and lines it comes in.
func TestACreationByteByByte(t *testing.T) {
	head := "POST /containers/create HTTP/1.1\r\n" + strings.Repeat("a:\n", 100<<10) + fmt.Sprintf("Content-Length: %d\r\n\r\n", MaxBody)
	n := 0
	r := &Requests{Out: func(p []byte) error { n += len(p); return nil }, Edit: func(Creation, []byte) ([]byte, error) { return nil, nil }, Held: new(Held)}
	late := time.Now().Add(2 * time.Minute) // it takes a second
	say := func(b []byte) {
		for i := range b {
			if err := r.Write(b[i : i+1]); err != nil {
				t.Fatal(err)
			}
			if i%1000 == 0 && time.Now().After(late) {
				t.Fatalf("%d bytes took two minutes", i)
			}
		}
	}
	say([]byte(head))
	say(make([]byte, MaxBody))
	if n != len(head)+MaxBody {
		t.Errorf("%d bytes come out", n)
	}
}
