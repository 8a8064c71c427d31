// Package dockerapi is what we know of HTTP as Docker's clients speak it: how a
// request begins, and how an answer of our own looks to them.
//
// It reads heads and writes answers, as bytes. It knows nothing of connections,
// and passes judgement on no request that it does not understand.
//
// Law: whatever a client sends costs no more than a look at the bytes it is
// given; what can't be read is taken for something that may change the engine.
package dockerapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// MethodOf is the method of the request that b begins with, in capitals as it was
// sent, or "" if b does not begin like a request. It has 20 letters at most.
func MethodOf(b []byte) string {
	const longest = 20
	method, _, found := bytes.Cut(b[:min(len(b), longest+1)], []byte{' '})
	if !found {
		return ""
	}
	for _, c := range method {
		if c < 'A' || c > 'Z' {
			return ""
		}
	}
	return string(method)
}

// IsRead tells whether b is one whole request that asks for something and
// changes nothing: GET or HEAD, without a body, of HTTP/1, and staying HTTP. Such a request may be answered twice, or by somebody else.
func IsRead(b []byte) bool {
	method := MethodOf(b)
	head, behind, whole := bytes.Cut(b, []byte("\r\n\r\n"))
	if !whole || len(behind) > 0 || method != http.MethodGet && method != http.MethodHead {
		return false
	}
	lines := bytes.Split(head, []byte("\r\n"))
	if !bytes.HasSuffix(lines[0], []byte(" HTTP/1.1")) && !bytes.HasSuffix(lines[0], []byte(" HTTP/1.0")) {
		return false
	}
	for _, line := range lines[1:] {
		if bytes.ContainsAny(line, "\r\n") {
			return false // a line end to some, not to others
		}
		name, value, _ := bytes.Cut(line, []byte{':'})
		switch strings.ToLower(string(bytes.TrimSpace(name))) {
		case "upgrade", "transfer-encoding":
			return false
		case "content-length":
			if string(bytes.TrimSpace(value)) != "0" {
				return false
			}
		}
	}
	return true
}

// UnavailableAnswer is the answer to the request that b begins with when its engine
// can't be reached: status 503 and Docker's JSON for errors, whose message the
// docker command prints. The connection ends behind it.
func UnavailableAnswer(b []byte, message string) []byte {
	return errorAnswer(http.StatusServiceUnavailable, message, MethodOf(b) != http.MethodHead)
}

// RefusalAnswer is the answer to a request, which is none of HEAD, that is not for its engine: with this status, else
// as Unavailable.
func RefusalAnswer(status int, message string) []byte { return errorAnswer(status, message, true) }

func errorAnswer(status int, message string, withBody bool) []byte {
	body, err := json.Marshal(map[string]string{"message": message})
	if err != nil { // a string always is JSON
		body = []byte("{}")
	}
	answer := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", status, http.StatusText(status), len(body)+1)
	if !withBody {
		return answer
	}
	return append(append(answer, body...), '\n')
}
