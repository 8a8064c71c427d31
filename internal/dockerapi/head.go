package dockerapi

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// maxHead bounds a request's head; the engine's own bound is 1 MiB, real ones
// have some hundred bytes.
const maxHead = 64 << 10

var (
	// creation is the first line of a request whose body names directories.
	creation = regexp.MustCompile(`^POST (?:https?://[^/ ]*)?(?:/v[0-9.]+)?/(containers|services)/create(?:\?[^ ]*)? HTTP/1\.[01]$`)
	// takeover is one behind which the connection is no HTTP any more, said or unsaid: attach and
	// exec did without an Upgrade for years, and engines still take that.
	takeover = regexp.MustCompile(`^[A-Z]+ (?:https?://[^/ ]*)?(?:/v[0-9.]+)?/(?:containers/[^/ ?]+/attach|exec/[^/ ?]+/start|session|grpc)(?:[/?][^ ]*)? `)
	// sound is any first line of HTTP/1.
	sound = regexp.MustCompile(`^[A-Z]+ [!-~]+ HTTP/1\.[01]$`)
)

// errHead says that a head is not for us to understand.
var errHead = errors.New("head is not understood")

// head is what is needed of a request's head.
type head struct {
	chunked bool
	length  int64 // of the body, unless chunked
	expects bool  // the client waits for the engine before it sends the body
}

// headEnd is the length of the head that b begins with, or 0 if b does not hold all of it. Lines
// may end in LF alone, as to net/http.
func headEnd(b []byte) int {
	for i := 0; ; i++ {
		lf := bytes.IndexByte(b[i:], '\n')
		if lf < 0 {
			return 0
		}
		i += lf
		switch rest := b[i+1:]; {
		case bytes.HasPrefix(rest, []byte("\n")):
			return i + 2
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return i + 3
		}
	}
}

// firstLine is the first line without its end, if b holds all of it.
func firstLine(b []byte) (line []byte, whole bool) {
	line, _, whole = bytes.Cut(b, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), whole
}

// mayCreate tells whether a first line that has begun so may be a creation's.
func mayCreate(b []byte) bool {
	const method = "POST "
	n := min(len(b), len(method))
	return string(b[:n]) == method[:n]
}

// readHead understands a whole head, or says that its connection is not to be read any further:
// what it says is not plain, or no HTTP follows.
func readHead(b []byte) (h head, err error) {
	lines := strings.Split(string(b), "\n")
	first := strings.TrimSuffix(lines[0], "\r")
	if !sound.MatchString(first) || takeover.MatchString(first) || strings.HasPrefix(first, "CONNECT ") {
		return h, errHead
	}
	length := ""
	for _, line := range lines[1:] {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		name, value, found := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !found || strings.ContainsAny(name, " \t\r") || strings.Contains(value, "\r") {
			return h, errHead
		}
		switch strings.ToLower(name) {
		case "upgrade":
			return h, errHead
		case "content-length":
			if length != "" && length != value || value == "" {
				return h, errHead
			}
			length = value
		case "transfer-encoding":
			if h.chunked || !strings.EqualFold(value, "chunked") {
				return h, errHead
			}
			h.chunked = true
		case "expect":
			h.expects = true
		}
	}
	if length == "" {
		return h, nil
	}
	n, err := strconv.ParseUint(length, 10, 62)
	if err != nil || h.chunked { // both are a body of two lengths
		return h, errHead
	}
	h.length = int64(n)
	return h, nil
}

// withLength gives the head with another length of the body, in the same place.
func withLength(b []byte, n int) []byte {
	return replaceLength(b, "Content-Length: "+strconv.Itoa(n))
}

// asChunked gives the head of one whose body comes in chunks instead of in a
// known length.
func asChunked(b []byte) []byte { return replaceLength(b, "Transfer-Encoding: chunked") }

// replaceLength puts a line in the place of the first Content-Length, drops others, and leaves
// every other byte.
func replaceLength(b []byte, line string) []byte {
	var out []byte
	for l := range bytes.Lines(b) {
		if name, _, _ := bytes.Cut(l, []byte{':'}); !strings.EqualFold(string(name), "content-length") {
			out = append(out, l...)
			continue
		}
		if line != "" {
			end := l[len(bytes.TrimRight(l, "\r\n")):]
			out = append(append(out, line...), end...)
			line = ""
		}
	}
	return out
}
