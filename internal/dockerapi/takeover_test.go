package dockerapi

import (
	"strings"
	"testing"
)

// The answers of one connection, each with what comes behind it, and where HTTP ends.
func TestTakeoverFindsWhereHTTPEnds(t *testing.T) {
	const (
		upgraded = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
		attached = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\r\n"
		session  = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
		ping     = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
		pingHead = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
		logs     = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
		none     = "HTTP/1.1 204 No Content\r\n\r\n"
		goOn     = "HTTP/1.1 100 Continue\r\n\r\n"
		old      = "HTTP/1.0 200 OK\r\n\r\n"
	)
	for name, tc := range map[string]struct {
		before []string // whole answers, each a piece of its own
		head   string   // behind which HTTP ends
		raw    bool
	}{
		"an exec":                         {nil, upgraded, true},
		"an attach without an upgrade":    {nil, attached, true},
		"lines that end in LF alone":      {nil, strings.ReplaceAll(upgraded, "\r", ""), true},
		"other cases and blanks":          {nil, "HTTP/1.1 101 X\r\nUPGRADE:  TCP \r\n\r\n", true},
		"an upgrade to nothing named":     {nil, "HTTP/1.1 101 UPGRADED\r\n\r\n", true},
		"a build's session":               {nil, session, false},
		"a body without a length":         {nil, old, true},
		"behind a ping":                   {[]string{ping}, upgraded, true},
		"behind HEAD":                     {[]string{pingHead}, upgraded, true},
		"behind HEAD without a length":    {[]string{old}, upgraded, true},
		"behind a chunked body":           {[]string{logs}, upgraded, true},
		"behind an answer without a body": {[]string{none}, attached, true},
		"behind 100":                      {nil, goOn + upgraded, true},
		"behind 100 as a piece":           {[]string{goOn}, upgraded, true},
		"pipelined":                       {nil, ping + none + ping + upgraded, true},
		"pipelined behind HEAD":           {nil, pingHead + upgraded, true},
		"a long line":                     {nil, "HTTP/1.1 101 X\r\nX: " + strings.Repeat("x", 3*maxAnswerLine) + "\r\nUpgrade: tcp\r\n\r\n", true},
	} {
		const output = "HTTP/1.1 101 of the container\r\n\r\n"
		for size := 1; size < len(tc.head)+len(output); size++ {
			var f Takeover
			for _, b := range tc.before {
				if n := f.FindHeadEnd([]byte(b)); n > 0 && b != old {
					t.Errorf("%s: HTTP ends in %q", name, b[:n])
				}
			}
			at, rest := 0, []byte(tc.head+output)
			for len(rest) > 0 && at < len(tc.head) {
				piece := rest[:min(size, len(rest))]
				n := f.FindHeadEnd(piece)
				if n > 0 && at+n != len(tc.head) {
					t.Fatalf("%s, in pieces of %d: HTTP ends at %d of %d", name, size, at+n, len(tc.head))
				}
				if n == 0 && at+len(piece) >= len(tc.head) && !strings.HasPrefix(tc.head, ping) && !strings.HasPrefix(tc.head, pingHead) {
					t.Fatalf("%s, in pieces of %d: HTTP does not end", name, size)
				}
				if n > 0 && tc.raw != f.IsRawStream() {
					t.Errorf("%s: raw is %t", name, f.IsRawStream())
				}
				if n > 0 && f.over && f.FindHeadEnd(rest[n:]) > 0 {
					t.Errorf("%s: HTTP ends twice", name)
				}
				if n > 0 {
					break
				}
				at += len(piece)
				rest = rest[len(piece):]
			}
		}
	}
}

// Answers that leave a connection to HTTP, and what is no answer.
func TestTakeoverLeavesTheRestAlone(t *testing.T) {
	for _, pieces := range [][]string{
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"},
		{"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\nhi\r\n"},
		{"HTTP/1.1 500 X\r\nContent-Length: 500\r\n\r\n", "HTTP", " is spoken here"},
		{"\x00\x01", "HTTP/2.0 101 X\r\n\r\n", "HTTP/1.1 1x1\r\n\r\n", "HTTP/1.1 099 X\r\n\r\n", "HTTP/1.1101\n\n", "\r\n\r\n"},
		{"HTTP/1.", "HTTP/1.1 101 X\r\n\r\n"},
	} {
		var f Takeover
		for _, b := range pieces {
			if n := f.FindHeadEnd([]byte(b)); n > 0 {
				t.Errorf("HTTP ends in %q", b[:n])
			}
		}
		if f.IsRawStream() {
			t.Errorf("%q: a raw stream", pieces)
		}
	}
}

func FuzzTakeover(f *testing.F) {
	f.Add([]byte("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), 3)
	f.Add([]byte("HTTP/1.1 200 OK\nContent-Length: 3\n\nabcHTTP/1.1 200 OK\n\n"), 1)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		if size < 1 {
			return
		}
		var at Takeover
		for len(b) > 0 {
			piece := b[:min(size, len(b))]
			n := at.FindHeadEnd(piece)
			if n < 0 || n > len(piece) || n > 0 && piece[n-1] != '\n' || cap(at.line) > 2*maxAnswerLine {
				t.Fatalf("%d of %q, %d kept", n, piece, cap(at.line))
			}
			if n == 0 {
				n = len(piece)
			}
			b = b[n:]
		}
	})
}

func BenchmarkTakeover(b *testing.B) {
	piece := make([]byte, 32<<10)
	t := Takeover{state: inUnknown}
	b.ReportAllocs()
	for b.Loop() {
		t.FindHeadEnd(piece)
	}
}
