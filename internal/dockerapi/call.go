package dockerapi

import (
	"bytes"
	"slices"
	"strings"
)

// maxCallParts bounds what is told of a path.
const maxCallParts = 5

// words are the parts of the engine API's paths that are the API's own. All others are names, ids
// and whatever a client makes up.
var words = wordSet(`_ping archive attach auth build cancel changes commit configs connect containers create df disable
	disconnect distribution enable events exec export get grpc history images info init join json kill leave load logs
	networks nodes pause plugins privileges prune pull push remove rename resize restart search secrets services session
	set start stats stop swarm system tag tasks top unlock unlockkey unpause update upgrade version volumes wait ws`)

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}

// short are calls that have a name everybody knows.
var short = map[string]string{
	"POST /exec/*/start":        "exec",
	"GET /containers/*/logs":    "logs",
	"POST /containers/*/attach": "attach",
	"POST /containers/*/wait":   "wait",
	"GET /containers/*/stats":   "stats",
	"GET /events":               "events",
}

// CallOf says which call of the engine's API the request is that b begins with, such as "POST
// /build" or "logs", or "" if b does not begin with the first line of one. Nothing in it is the
// client's own but the choice: parts of the path that the API does not have are a *, and of a
// query nothing is told.
func CallOf(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte{'\n'})
	method, target, _, good := requestLine(bytes.TrimSuffix(line, []byte{'\r'}))
	if !good || MethodOf(b) == "" {
		return ""
	}
	if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "DELETE"}, method) {
		return "other"
	}
	call := method + reducePath(target)
	if name, known := short[call]; known {
		return name
	}
	return call
}

// reducePath is a path, or an address with one, in words of the API.
func reducePath(path string) string {
	if _, behind, found := strings.Cut(path, "://"); found && !strings.HasPrefix(path, "/") {
		_, path, _ = strings.Cut(behind, "/")
	}
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) > 1 && strings.HasPrefix(parts[0], "v") && strings.Trim(parts[0][1:], "0123456789.") == "" {
		parts = parts[1:]
	}
	for i, p := range parts {
		if !words[p] {
			parts[i] = "*"
		}
	}
	parts = slices.CompactFunc(parts, func(a, b string) bool { return a == "*" && b == "*" })
	if len(parts) > maxCallParts {
		parts = append(parts[:maxCallParts-1], "*")
	}
	return " /" + strings.Join(parts, "/")
}
