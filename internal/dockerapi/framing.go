package dockerapi

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// maxLine bounds a line of a chunked body; net/http's own bound is 4 KiB.
const maxLine = 4 << 10

// framing follows a body to its end and no further.
type framing struct {
	data func([]byte) // gets the body free of chunks, if it is set

	next part
	left int64  // bytes of the body or of the chunk
	line []byte // as far as it has come
	tail int    // where the last chunk's data would be, in a body that came in one piece
}

// part is what comes next of a body.
type part int

const (
	theEnd part = iota
	plain       // left bytes
	chunkSize
	chunkData // left bytes
	chunkEnd
	trailer
)

// bodyFraming is where the body of this head begins.
func (h head) bodyFraming() framing {
	switch {
	case h.chunked:
		return framing{next: chunkSize}
	case h.length > 0:
		return framing{next: plain, left: h.length}
	}
	return framing{}
}

// isWhole tells whether nothing more comes.
func (f *framing) isWhole() bool { return f.next == theEnd }

// skipBody tells how many bytes of b belong to the body. It is no good if they can't
// be understood.
func (f *framing) skipBody(b []byte) (n int, good bool) {
	for n < len(b) && !f.isWhole() {
		if f.next == plain || f.next == chunkData {
			n += f.passCounted(b[n:])
			continue
		}
		line, used, whole := f.readLine(b[n:])
		n += used
		if len(f.line) > maxLine {
			return n, false
		}
		if !whole {
			continue
		}
		was := f.next
		if !f.takeLine(line) {
			return n, false
		}
		if was == chunkSize && f.next == trailer {
			f.tail = n - used
		}
	}
	return n, true
}

// passCounted takes bytes by their count.
func (f *framing) passCounted(b []byte) int {
	n := int(min(f.left, int64(len(b))))
	if f.data != nil {
		f.data(b[:n])
	}
	if f.left -= int64(n); f.left == 0 {
		f.next = map[part]part{plain: theEnd, chunkData: chunkEnd}[f.next]
	}
	return n
}

func (f *framing) readLine(b []byte) (line string, used int, whole bool) {
	lf := bytes.IndexByte(b, '\n')
	if lf < 0 {
		f.line = append(f.line, b[:min(len(b), maxLine+1)]...)
		return "", len(b), false
	}
	f.line = append(f.line, b[:lf]...)
	line = string(f.line)
	f.line = f.line[:0]
	return line, lf + 1, true
}

// takeLine takes a line without its LF. Of what ends a chunk net/http takes CRLF alone, else, earlier, LF as well.
func (f *framing) takeLine(line string) (good bool) {
	if f.next == chunkEnd {
		f.next = chunkSize
		return line == "\r"
	}
	line = strings.TrimSuffix(line, "\r")
	switch f.next {
	case chunkSize:
		size, _, _ := strings.Cut(line, ";") // extensions say nothing
		n, err := strconv.ParseUint(strings.TrimRight(size, " \t"), 16, 64)
		if err != nil {
			return false
		}
		f.left, f.next = int64(min(n, math.MaxInt64)), chunkData
		if n == 0 {
			f.next = trailer
		}
	case trailer:
		if line == "" {
			f.next = theEnd
		}
	}
	return true
}
