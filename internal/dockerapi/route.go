package dockerapi

import (
	"bytes"
	"path"
	"strings"
)

// Creation is a kind of requests whose bodies name directories of the engine's machine.
type Creation string

// The creations. A service is given anew as a whole when it is updated, so that counts as one.
const (
	CreateContainer Creation = "containers"
	CreateService   Creation = "services"
)

// requestLine takes the first line of a request apart as net/http's server does. It is not good if that
// is none of HTTP/1.
func requestLine(line []byte) (method, target string, minor byte, good bool) {
	first, rest, _ := bytes.Cut(line, []byte{' '})
	address, version, _ := bytes.Cut(rest, []byte{' '})
	const known = "HTTP/1."
	if !isToken(first) || len(version) != len(known)+1 || string(version[:len(known)]) != known {
		return "", "", 0, false
	}
	minor = version[len(known)]
	return string(first), string(address), minor, '0' <= minor && minor <= '9'
}

// isToken tells whether b is a word of HTTP, such as a method (RFC 9110, section 5.6.2).
func isToken(b []byte) bool {
	for _, c := range b {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !bytes.ContainsRune([]byte("!#$%&'*+-.^_`|~"), rune(c)) {
			return false
		}
	}
	return len(b) > 0
}

// mayBeRequest tells whether b may be the beginning of a request.
func mayBeRequest(b []byte) bool {
	method, _, _ := bytes.Cut(b, []byte{' '})
	return isToken(method)
}

// mayCreate tells whether a first line that has begun so may be a creation's.
func mayCreate(b []byte) bool {
	const method = "POST "
	n := min(len(b), len(method))
	return string(b[:n]) == method[:n]
}

// creationOf is the kind of creation that a request asks for, or "". It takes more for one than the
// engine does, which has a version in front and nothing else: what the engine does not know, it refuses
// in any shape.
func creationOf(method, target string) Creation {
	if method != "POST" {
		return ""
	}
	parts := strings.Split(path.Clean("/"+decodePath(target)), "/")
	n := len(parts)
	switch {
	case n > 2 && parts[n-1] == "create" && parts[n-2] == string(CreateContainer):
		return CreateContainer
	case n > 2 && parts[n-1] == "create" && parts[n-2] == string(CreateService):
		return CreateService
	case n > 3 && parts[n-1] == "update" && parts[n-3] == string(CreateService):
		return CreateService
	}
	return ""
}

// decodePath is the path of a target without its query, with what is percent-encoded in it decoded, as
// engines route by. It may have the scheme and host of an absolute address in front.
func decodePath(target string) string {
	target, _, _ = strings.Cut(target, "?")
	if !strings.Contains(target, "%") {
		return target
	}
	out := make([]byte, 0, len(target))
	for i := 0; i < len(target); i++ {
		if c, is := decodedByte(target[i:]); is {
			out = append(out, c)
			i += 2
			continue
		}
		out = append(out, target[i])
	}
	return string(out)
}

func decodedByte(s string) (c byte, is bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	high, low := strings.IndexByte(hexDigits, s[1]|0x20), strings.IndexByte(hexDigits, s[2]|0x20)
	if high < 0 || low < 0 {
		return 0, false
	}
	return byte(high<<4 | low), true
}

const hexDigits = "0123456789abcdef"
