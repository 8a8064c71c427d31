package dockerapi

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

var errNo = errors.New("no")

// edit puts an exclamation mark behind, leaves what begins with "same", refuses what begins with "no".
func edit(_ Creation, body []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(body, []byte("same")):
		return nil, nil
	case bytes.HasPrefix(body, []byte("no")):
		return nil, errNo
	}
	return append(bytes.Clone(body), '!'), nil
}

// through gives what comes out of requests that come in pieces of a size.
func through(said string, size int) (out string, r *Requests, err error) {
	var b strings.Builder
	r = &Requests{Out: func(p []byte) error { b.Write(p); return nil }, Edit: edit, TooLong: func() {}, Held: new(Held)}
	for len(said) > 0 && err == nil {
		n := min(size, len(said))
		err = r.Write([]byte(said[:n]))
		said = said[n:]
	}
	if err == nil {
		err = r.End()
	}
	return b.String(), r, err
}

const (
	post = "POST /v1.41/containers/create?name=x HTTP/1.1\r\nHost: docker\r\nX-Odd:  kept \r\n"
	ping = "GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"
)

// Whatever pieces the bytes come in, only the bodies of creations change.
func TestRequests(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for name, c := range map[string]struct{ said, want string }{
		"length":             {post + "Content-Length: 3\r\nA: b\r\n\r\nabc", post + "Content-Length: 4\r\nA: b\r\n\r\nabc!"},
		"a head of LF alone": {"POST /containers/create HTTP/1.1\nCONTENT-LENGTH:3\n\nabc", "POST /containers/create HTTP/1.1\nContent-Length: 4\n\nabc!"},
		"a service":          {"POST /services/create HTTP/1.1\r\nContent-Length: 1\r\n\r\na", "POST /services/create HTTP/1.1\r\nContent-Length: 2\r\n\r\na!"},
		"chunks":             {post + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: r\r\n\r\n" + ping, post + "Transfer-Encoding: chunked\r\n\r\n4\r\nabc!\r\n0\r\nT: r\r\n\r\n" + ping},
		"chunks, the same":   {post + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nsa\r\n2\r\nme\r\n0\r\n\r\n" + ping, post + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nsa\r\n2\r\nme\r\n0\r\n\r\n" + ping},
		"kept connection": {
			ping + "POST /build HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" + long + post + "Content-Length: 1\r\n\r\na" + ping + post + "Content-Length: 4\r\n\r\nsame" + ping,
			ping + "POST /build HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" + long + post + "Content-Length: 2\r\n\r\na!" + ping + post + "Content-Length: 4\r\n\r\nsame" + ping,
		},
		"a body that looks like a request": {"PUT /x HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n" + fmt.Sprintf("%x\r\n", len(post)) + post + "\r\n0\r\n\r\n" + post + "Content-Length: 1\r\n\r\na",
			"PUT /x HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n" + fmt.Sprintf("%x\r\n", len(post)) + post + "\r\n0\r\n\r\n" + post + "Content-Length: 2\r\n\r\na!"},
		"another verb and place": {"PUT /containers/create HTTP/1.1\r\nContent-Length: 1\r\n\r\naPOST /containers/create/x HTTP/1.1\r\nContent-Length: 1\r\n\r\na", ""},
		"an upgrade":             {"POST /containers/x/exec HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + post + "Content-Length: 1\r\n\r\na", ""},
		"an attach, unsaid":      {"POST /v1.41/containers/x/attach?stream=1 HTTP/1.1\r\nContent-Length: 0\r\n\r\n" + post + "Content-Length: 1\r\n\r\na", ""},
		"two lengths":            {post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab" + post, ""},
		"length and chunks":      {post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", ""},
		"a wrong chunk":          {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\na\r\n0\r\n\r\n", ""},
		"an end in the head":     {post, ""},
		"an end in the body":     {post + "Content-Length: 10\r\n\r\nabc", ""},
		"not HTTP":               {"hello\r\n" + post + "Content-Length: 1\r\n\r\na", ""},
		"h2c":                    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + post, ""},
		"no body":                {post + "Content-Length: 0\r\n\r\n" + ping, post + "Content-Length: 1\r\n\r\n!" + ping},
	} {
		want := c.want
		if want == "" {
			want = c.said
		}
		for _, size := range []int{1, 2, 3, 7, 64, 4096, 1 << 20} {
			if got, r, err := through(c.said, size); err != nil || got != want || r.Held.bytes.Load() != 0 {
				t.Fatalf("%s, in pieces of %d: %v, %d held\nis   %q\nwant %q", name, size, err, r.Held.bytes.Load(), got, want)
			}
		}
	}
}

// A client that waits for 100 Continue gets it of the engine: the head goes at once, with chunks
// to come.
func TestExpectedHeadGoesAtOnce(t *testing.T) {
	const head, with = post + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", post + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
	var out strings.Builder
	r := &Requests{Out: func(p []byte) error { out.Write(p); return nil }, Edit: edit, Held: new(Held)}
	for _, step := range []struct{ said, want string }{
		{ping + head, ping + with},
		{"ab", ""},
		{"c" + ping, "4\r\nabc!\r\n0\r\n\r\n" + ping},
		{head, with},
		{"nop", ""},
	} {
		out.Reset()
		err := r.Write([]byte(step.said))
		if out.String() != step.want || (err != nil) != (step.said == "nop") {
			t.Fatalf("%q comes out as %q, %v; want %q", step.said, out.String(), err, step.want)
		}
	}
	if !r.Midway() {
		t.Error("the engine waits for a body, and that is not told")
	}
	const chunked = "POST /containers/create HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
	for body, want := range map[string]string{"3\r\nabc\r\n0\r\n\r\n": "4\r\nabc!\r\n0\r\n\r\n", "4\r\nsame\r\n0\r\n\r\n": "4\r\nsame\r\n0\r\n\r\n"} {
		for size := range 20 {
			if got, _, err := through(chunked+body+ping, size+1); err != nil || got != chunked+want+ping {
				t.Fatalf("%q comes out as %q, %v", chunked+body, got, err)
			}
		}
	}
}

// Half a request reaches the engine as soon as it can't become a creation: it may be answered.
func TestHalfARequestPassesAtOnce(t *testing.T) {
	for _, said := range []string{"G", "GET /_ping HTTP/1.1\r\n", "POST /build HTTP/1.1\r\nHost: ", "no HTTP", "POST", "POST /containers/create HTTP/1.1\r\nHost"} {
		var out bytes.Buffer
		r := &Requests{Out: func(p []byte) error { out.Write(p); return nil }, Edit: edit, Held: new(Held)}
		if err := r.Write([]byte(said)); err != nil {
			t.Fatal(err)
		}
		if want := !strings.HasPrefix(said, "POST /c") && said != "POST"; want && out.String() != said || !want && out.Len() > 0 {
			t.Errorf("of %q comes %q", said, out.String())
		}
		if err := r.End(); err != nil || out.String() != said {
			t.Errorf("%q comes out as %q, %v", said, out.String(), err)
		}
	}
}

// What is refused is not sent; what was asked before it is.
func TestRefusedRequestIsNotSent(t *testing.T) {
	for _, size := range []int{1, 50, 1000} {
		got, r, err := through(ping+post+"Content-Length: 2\r\n\r\nno"+ping, size)
		if got != ping || !errors.Is(err, errNo) || r.Midway() {
			t.Errorf("%q, %v", got, err)
		}
		r.Close()
		if r.Held.bytes.Load() != 0 {
			t.Error("something is held still")
		}
	}
}

// A body that is too long, or one too many, passes as it is, and that is told.
func TestTooLongPasses(t *testing.T) {
	body := strings.Repeat("x", MaxBody+1)
	for _, said := range []string{
		post + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body + ping,
		post + fmt.Sprintf("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", len(body)) + body + "\r\n0\r\n\r\n" + ping,
	} {
		for _, used := range []int64{0, maxHeld} {
			held := new(Held)
			held.bytes.Store(used)
			var out bytes.Buffer
			told := 0
			r := &Requests{Out: func(p []byte) error { out.Write(p); return nil }, Edit: edit, TooLong: func() { told++ }, Held: held}
			for p := []byte(said); len(p) > 0; p = p[min(len(p), 32<<10):] {
				if err := r.Write(p[:min(len(p), 32<<10)]); err != nil {
					t.Fatal(err)
				}
			}
			if out.String() != said || told != 1 || held.bytes.Load() != used {
				t.Errorf("%d of %d bytes, told %d times, %d held", out.Len(), len(said), told, held.bytes.Load()-used)
			}
		}
	}
}

// A client can say anything in any pieces: without a creation that is changed, all of it comes out.
func FuzzRequests(f *testing.F) {
	f.Add([]byte(ping+post+"Content-Length: 4\r\n\r\nsame"+ping), 3)
	f.Add([]byte(post+"Transfer-Encoding: chunked\r\n\r\n4\r\nsame\r\n0\r\n\r\n"), 1)
	f.Add([]byte(post+"Transfer-Encoding: chunked\r\nExpect: x\r\n\r\n4\r\nsame\r\n0\r\n\r\nGET"), 9)
	f.Fuzz(func(t *testing.T, said []byte, size int) {
		if size < 1 || size > 1<<20 {
			return
		}
		held := new(Held)
		var out bytes.Buffer
		r := &Requests{
			Out:     func(p []byte) error { out.Write(p); return nil },
			Edit:    func(Creation, []byte) ([]byte, error) { return nil, nil },
			TooLong: func() {}, Held: held,
		}
		for p := said; len(p) > 0; p = p[min(len(p), size):] {
			if err := r.Write(p[:min(len(p), size)]); err != nil {
				t.Fatal(err)
			}
		}
		expected := r.Midway()
		if err := r.End(); err != nil || held.bytes.Load() != 0 {
			t.Fatalf("%v, %d held", err, held.bytes.Load())
		}
		if !bytes.Contains(bytes.ToLower(said), []byte("expect")) && !bytes.Equal(out.Bytes(), said) {
			t.Fatalf("%q comes out as %q (%v)", said, out.Bytes(), expected)
		}
	})
}

// BenchmarkRequests is what the look at a connection costs by the byte.
func BenchmarkRequests(b *testing.B) {
	chunk := append(fmt.Appendf(nil, "%x\r\n", 32<<10), make([]byte, 32<<10+2)...)
	copy(chunk[len(chunk)-2:], "\r\n")
	r := &Requests{Out: func([]byte) error { return nil }, Held: new(Held)}
	if err := r.Write([]byte("POST /build HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if err := r.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
}
