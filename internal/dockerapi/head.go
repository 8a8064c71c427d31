package dockerapi

import (
	"bytes"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// maxHead bounds the head of a request that is held: net/http's server takes
// http.DefaultMaxHeaderBytes and 4 KiB.
const maxHead = http.DefaultMaxHeaderBytes + 8<<10

// errFraming says that the head does not tell where its body ends. net/http's server refuses such
// a request and ends the connection.
var errFraming = errors.New("the head does not tell where the body ends")

// needed are the fields of a head that tell how its body ends. What else there is passes unread.
var needed = []string{"content-length", "transfer-encoding", "expect"}

// headReader reads a head line by line, in whatever pieces it comes, and keeps no more than the
// line that has begun and the needed fields. It reads as net/http does: lines may end in LF alone,
// and a line that begins with a blank goes on with the one before. Where net/http refuses a field,
// it may take it: who refuses ends the connection.
type headReader struct {
	most   int    // what is kept of the first line, if it is not 0
	line   []byte // what has come of a line; of a field that is not needed only its beginning
	size   int    // of what has come of the head
	first  bool   // the first line has been read
	cut    bool   // something needed was too long to be kept
	folds  string // the field that a folded line goes on with; "" if it is not needed
	values map[string][]string
}

const (
	// longestName is more than the longest needed field with its colon.
	longestName = 32
	// maxField bounds the line of a needed field, and maxFields how many lines there are of one.
	maxField, maxFields = 8 << 10, 16
)

// nextLine reads to the end of one line, or of b. A field is taken in; the text of the first line is
// given, and valid until the next call. The head ends with a line that is empty.
func (h *headReader) nextLine(b []byte) (n int, line []byte, whole bool) {
	n = bytes.IndexByte(b, '\n') + 1
	if n == 0 {
		h.size += len(b)
		h.keepPart(b)
		return len(b), nil, false
	}
	h.size += n
	line = b[:n]
	if len(h.line) > 0 {
		h.keepPart(line)
		line = h.line
	}
	h.line = h.line[:0]
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
	if h.first {
		h.takeField(line)
	}
	h.first = true
	return n, line, true
}

// keepPart adds to the line that has begun what may be needed of it.
func (h *headReader) keepPart(b []byte) {
	most := longestName
	if !h.first {
		if most = h.most; most == 0 {
			most = math.MaxInt
		}
	}
	n := min(len(b), max(0, most-len(h.line)))
	h.line = append(h.line, b[:n]...)
	if b = b[n:]; !h.first || len(b) == 0 || !h.needsField() {
		return
	}
	if h.cut = h.cut || len(h.line)+len(b) > maxField; !h.cut {
		h.line = append(h.line, b...)
	}
}

// needsField tells whether the line that has begun is of a needed field.
func (h *headReader) needsField() bool {
	if c := h.line[0]; c == ' ' || c == '\t' {
		return h.folds != ""
	}
	return neededName(h.line) != ""
}

func neededName(line []byte) string {
	name, _, found := bytes.Cut(line, []byte{':'})
	if found && len(name) < longestName {
		for _, n := range needed {
			if strings.EqualFold(string(name), n) {
				return n
			}
		}
	}
	return ""
}

func (h *headReader) takeField(line []byte) {
	switch {
	case len(line) == 0:
	case line[0] == ' ' || line[0] == '\t':
		h.foldField(string(bytes.Trim(line, " \t")))
	default:
		if h.folds = neededName(line); h.folds == "" {
			return
		}
		h.cut = h.cut || len(line) > maxField
		if h.values == nil {
			h.values = map[string][]string{}
		}
		_, value, _ := bytes.Cut(line, []byte{':'})
		h.addField(h.folds, string(bytes.Trim(value, " \t")))
	}
}

func (h *headReader) addField(name, value string) {
	v := h.values[name]
	if h.cut = h.cut || len(v) == maxFields; !h.cut {
		h.values[name] = append(v, value)
	}
}

func (h *headReader) foldField(more string) {
	v := h.values[h.folds]
	if len(v) == 0 {
		return
	}
	last := &v[len(v)-1]
	if h.cut = h.cut || len(*last)+len(more) > maxField; !h.cut {
		*last = strings.Trim(*last+" "+more, " \t")
	}
}

// resetHead makes it ready for the next head.
func (h *headReader) resetHead() { *h = headReader{most: h.most, line: h.line[:0]} }

// contentLength is that of the body by Content-Length, -1 without one.
func (h *headReader) contentLength() (n int64, err error) {
	if h.cut {
		return 0, errFraming
	}
	lengths := h.values["content-length"]
	if len(lengths) == 0 {
		return -1, nil
	}
	for _, l := range lengths {
		if l != lengths[0] {
			return 0, errFraming
		}
	}
	if lengths[0] == "" {
		return -1, nil
	}
	u, err := strconv.ParseUint(lengths[0], 10, 63)
	if err != nil {
		return 0, errFraming
	}
	return int64(u), nil
}

// transferCodings are the transfer codings in their order.
func (h *headReader) transferCodings() (codings []string) {
	for _, v := range h.values["transfer-encoding"] {
		for c := range strings.SplitSeq(v, ",") {
			codings = append(codings, strings.ToLower(strings.Trim(c, " \t")))
		}
	}
	return codings
}

// head is what is needed of a request's head.
type head struct {
	old     bool // HTTP/1.0
	chunked bool
	length  int64  // of the body, unless chunked; 0 without one
	expect  string // what its client waits for before it sends the body
}

// requestHead understands the head of a request of HTTP/1.minor as net/http's server does
// (net/http/transfer.go): chunks are more than a length, and of HTTP/1.0 they are none. An empty length and
// the coding identity are what only earlier versions of it take.
func (h *headReader) requestHead(minor byte) (head, error) {
	is := head{old: minor == '0', expect: strings.Join(h.values["expect"], ",")}
	codings := h.transferCodings()
	is.chunked = len(codings) == 1 && codings[0] == "chunked" && !is.old
	if len(codings) > 0 && !is.old && !is.chunked && (len(codings) > 1 || codings[0] != "identity") {
		return is, errFraming
	}
	n, err := h.contentLength()
	if !is.chunked {
		is.length = max(n, 0)
	}
	return is, err
}

// expectsContinue tells whether the client waits for 100 Continue.
func (h head) expectsContinue() bool {
	for e := range strings.SplitSeq(h.expect, ",") {
		if strings.EqualFold(strings.Trim(e, " \t"), "100-continue") {
			return true
		}
	}
	return false
}

// answerBody is where the body of an answer begins (RFC 9112, section 6.3); endless is one that the end
// of the connection ends.
func (h *headReader) answerBody(minor byte) (body framing, endless bool, err error) {
	codings := h.transferCodings()
	switch {
	case len(codings) > 0 && minor != '0' && codings[len(codings)-1] == "chunked":
		return framing{next: chunkSize}, false, nil
	case len(codings) > 0 && minor != '0':
		return framing{}, true, nil
	}
	switch n, err := h.contentLength(); {
	case err != nil || n < 0:
		return framing{}, err == nil, err
	case n == 0:
		return framing{}, false, nil
	default:
		return framing{next: plain, left: n}, false, nil
	}
}
