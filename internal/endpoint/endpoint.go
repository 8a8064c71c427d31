// Package endpoint is a place to listen at or to dial: a unix socket, a Windows pipe, or a
// command whose stdio is the connection.
//
// Parse reads one as people write it, Exec makes one of a command, Dial connects to it with the same errors on both
// systems, and Listen makes a unix socket that nobody reaches who should not. The
// room does not know what is spoken there or which endpoints a configuration allows.
//
// Law: a socket of ours is never reachable with wider rights than asked for, and
// nothing of another program is removed or followed.
package endpoint

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxUnix is the room for a path in sockaddr_un, less the NUL (unix(7)).
	maxUnix = 107
	// maxPipe is the longest pipe name Windows takes, \\.\pipe\ included (CreateNamedPipe).
	maxPipe = 256

	pipeRoot = `\\.\pipe\`
)

// Endpoint is one place. The zero value is none. Two that mean the same are equal,
// but for the case of a pipe's name, which Windows ignores.
type Endpoint struct {
	scheme scheme
	addr   string // a clean absolute path, \\.\pipe\NAME, or a command's words with NULs between
}

type scheme string

const (
	unixScheme scheme = "unix"
	pipeScheme scheme = "npipe"
	execScheme scheme = "exec"
)

// String is the endpoint in its canonical form, which Parse reads back, but for a command:
// that is shown as exec: and its words, quoted where one could be misread.
func (e Endpoint) String() string {
	switch e.scheme {
	case unixScheme:
		return "unix:" + e.addr
	case pipeScheme:
		return "npipe://" + strings.ReplaceAll(e.addr, `\`, "/")
	case execScheme:
		return "exec: " + quoteCommand(e.commandArgs())
	}
	return ""
}

// Path is what the operating system calls the place: a socket's path, a pipe's name or a
// command's program.
func (e Endpoint) Path() string {
	if e.scheme == execScheme {
		return e.commandArgs()[0]
	}
	return e.addr
}

// Parse reads an endpoint for a program that runs on goos:
//
//	unix:/run/x.sock  unix:///run/x.sock                         linux
//	npipe:////./pipe/NAME  \\.\pipe\NAME  NAME                   windows
//
// A bare NAME has letters, digits and _ - . : only. An error says what would be right.
func Parse(s, goos string) (Endpoint, error) {
	e, err := parseEndpoint(s, goos)
	if err != nil {
		return Endpoint{}, fmt.Errorf("parse endpoint %s: %w", quoteShort(s), err)
	}
	return e, nil
}

func parseEndpoint(s, goos string) (Endpoint, error) {
	if err := checkEndpointText(s); err != nil {
		return Endpoint{}, err
	}
	if p, ok := strings.CutPrefix(s, "unix:"); ok {
		return parseUnixEndpoint(p, goos)
	}
	return parsePipeEndpoint(s, goos)
}

func checkEndpointText(s string) error {
	if s == "" {
		return errors.New("it is empty")
	}
	if !utf8.ValidString(s) {
		return errors.New("it is not UTF-8")
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return errors.New("it has a character that can't be printed")
	}
	return nil
}

func parseUnixEndpoint(p, goos string) (Endpoint, error) {
	if goos == "windows" {
		return Endpoint{}, errors.New("a unix socket is a place on linux; here it is npipe:////./pipe/NAME")
	}
	p = strings.TrimPrefix(p, "//")
	if !strings.HasPrefix(p, "/") {
		return Endpoint{}, errors.New("the path is not absolute; write unix:/run/NAME.sock")
	}
	if slices.Contains(strings.Split(p, "/"), "..") {
		return Endpoint{}, errors.New("the path has a .. in it; write it without")
	}
	if strings.HasSuffix(p, "/") {
		return Endpoint{}, errors.New("the path ends in a slash; write unix:/run/NAME.sock")
	}
	if strings.HasSuffix(p, "/.") { // a directory, in whose place a socket would be made
		return Endpoint{}, errors.New("the path ends in a dot that stands for a directory; write unix:/run/NAME.sock")
	}
	p = path.Clean(p)
	if len(p) > maxUnix {
		return Endpoint{}, fmt.Errorf("the path has %d bytes, a socket's may have %d", len(p), maxUnix)
	}
	return Endpoint{unixScheme, p}, nil
}

func parsePipeEndpoint(s, goos string) (Endpoint, error) {
	if goos != "windows" {
		return Endpoint{}, errors.New("it is no unix socket, which is what there is here; write unix:/run/NAME.sock")
	}
	name, err := pipeName(s)
	if err != nil {
		return Endpoint{}, err
	}
	if n := len(pipeRoot) + len(name); n > maxPipe {
		return Endpoint{}, fmt.Errorf("the pipe's name has %d characters, it may have %d", n, maxPipe)
	}
	return Endpoint{pipeScheme, pipeRoot + name}, nil
}

// pipeName returns what follows \\.\pipe\.
func pipeName(s string) (string, error) {
	p, isURL := strings.CutPrefix(s, "npipe:")
	p = strings.ReplaceAll(p, "/", `\`)
	if !isURL && !strings.HasPrefix(p, `\\`) {
		if !isBareName(s) {
			return "", errors.New("it is no endpoint; write npipe:////./pipe/NAME or the NAME of a pipe")
		}
		p = pipeRoot + s
	}
	if strings.HasPrefix(p, `\\\\`) { // as Docker writes it: npipe:// before //./pipe/NAME
		p = p[2:]
	}
	if len(p) < len(pipeRoot) || !strings.EqualFold(p[:len(pipeRoot)], pipeRoot) {
		return "", errors.New("it is no pipe of this machine; write npipe:////./pipe/NAME")
	}
	name := p[len(pipeRoot):]
	// Windows resolves dots, drops one at the end of a part and a blank at the end of all, and takes two
	// backslashes for one, before it looks a pipe up: such a name would be another place than it seems, even
	// outside of \\.\pipe.
	for part := range strings.SplitSeq(name, `\`) {
		if part == "" || strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") {
			return "", errors.New("it does not name a pipe; write npipe:////./pipe/NAME")
		}
	}
	return name, nil
}

func isBareName(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-.:", r)
	})
}

// quoteShort shows what was given, cut short and with nothing a terminal obeys.
func quoteShort(s string) string {
	const shown = 80
	if len(s) > shown {
		return fmt.Sprintf("%+q...", s[:shown])
	}
	return fmt.Sprintf("%q", s)
}
