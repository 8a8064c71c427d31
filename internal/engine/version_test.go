package engine

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"unicode"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// says is an engine that answers any request with a text.
func says(t *testing.T, text string) func(context.Context) (net.Conn, error) {
	t.Helper()
	return func(context.Context) (net.Conn, error) {
		ours, its := net.Pipe()
		go func() {
			defer its.Close()
			asked := make([]byte, len(VersionRequest))
			if _, err := io.ReadFull(its, asked); err == nil {
				_, _ = io.WriteString(its, text)
			}
		}()
		return ours, nil
	}
}

func TestAsk(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
	v, err := AskVersion(t.Context(), says(t, head+`{"Platform":{"Name":"Docker Engine"},"Version":"26.1.4","ApiVersion":"1.45","MinAPIVersion":"1.24","Os":"Windows","Arch":"amd64","more":[1]}`))
	if want := (Version{"windows", "26.1.4", "1.45", "1.24", "amd64", "Docker Engine"}); v != want || err != nil {
		t.Errorf("%+v, %v", v, err)
	}
	for name, text := range map[string]string{
		"an ssh server": "SSH-2.0-OpenSSH\r\n", "nothing": "", "no JSON": head + "<html>", "no engine": head + "{}",
		"refused":  "HTTP/1.1 403 Forbidden\r\n\r\n" + `{"Os":"linux","ApiVersion":"1"}`,
		"too long": head + `{"Os":"` + strings.Repeat("x", 2*maxVersion),
	} {
		if v, err := AskVersion(t.Context(), says(t, text)); !errors.Is(err, ErrNotEngine) || v != (Version{}) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	v, err = AskVersion(t.Context(), says(t, head+`{"Os":"a\u001b[2J","ApiVersion":"1.45","Version":"`+strings.Repeat("x", 1000)+`"}`))
	if err != nil || len(v.Version) > printable.Max || strings.ContainsFunc(v.OSType, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%+v, %v", v, err)
	}
	gone := errors.New("gone")
	if _, err := AskVersion(t.Context(), func(context.Context) (net.Conn, error) { return nil, gone }); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}

// Where up looks for an engine is among what is known.
func TestNamesAreKnown(t *testing.T) {
	known := map[string]bool{}
	for _, p := range KnownPipes() {
		known[p.Name] = true
	}
	for _, name := range PipeNames() {
		if !known[name] {
			t.Errorf("%s is not", name)
		}
	}
}
