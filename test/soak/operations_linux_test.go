package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// An engine that lies in one way, or in none.
type liar struct {
	lie  string
	file []byte // the archive that was put in
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/_ping" && l.lie == "twice":
		conn, _, _ := w.(http.Hijacker).Hijack()
		defer conn.Close()
		fmt.Fprint(conn, strings.Repeat("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", 2))
	case path == "/_ping":
		fmt.Fprint(w, "OK")
	case strings.HasPrefix(path, "/images/"):
		fmt.Fprint(w, map[bool]string{true: "knewn", false: "known"}[l.lie == "byte"])
	case strings.HasSuffix(path, "/rename"):
		name := strings.Split(path, "/")[2]
		if l.lie == "other" {
			name = "nobody-else"
		}
		http.Error(w, "No such container: "+name, http.StatusNotFound)
	case strings.HasSuffix(path, "/logs"):
		for _, n := range map[string][]int{"gap": {4, 5, 7}, "double": {4, 5, 5}}[l.lie] {
			frame(w, fmt.Sprintln(n))
		}
		for n := 1; l.lie != "gap" && l.lie != "double" && r.Context().Err() == nil; n++ {
			frame(w, fmt.Sprintln(n))
			_ = http.NewResponseController(w).Flush()
		}
	case strings.HasSuffix(path, "/archive"):
		l.archive(w, r)
	case strings.HasSuffix(path, "/exec"):
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"Id":"1"}`)
	case path == "/exec/1/json":
		fmt.Fprint(w, `{"Running":false,"ExitCode":0}`)
	case path == "/exec/1/start":
		l.echo(w, r)
	}
}

func frame(w io.Writer, text string) {
	_, _ = w.Write(append(binary.BigEndian.AppendUint32([]byte{1, 0, 0, 0}, uint32(len(text))), text...))
}

func (l *liar) archive(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		l.file, _ = io.ReadAll(r.Body)
		return
	}
	if l.lie == "file" {
		l.file[512] ^= 1
	}
	_, _ = w.Write(l.file)
}

func (l *liar) echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	conn, in, _ := w.(http.Hijacker).Hijack()
	defer conn.Close()
	fmt.Fprint(conn, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	said, _ := io.ReadAll(in)
	switch {
	case l.lie == "tail" && len(said) > 0:
		said = said[:len(said)-1]
	case l.lie == "changed" && len(said) > 0:
		said[0] ^= 1
	}
	frame(conn, string(said))
}

// clientOf is a client of a liar.
func clientOf(t *testing.T, lie string) *client {
	server := httptest.NewServer(&liar{lie: lie})
	t.Cleanup(server.Close)
	return &client{
		dial:   func() (net.Conn, error) { return net.Dial("tcp", server.Listener.Addr().String()) },
		image:  "image",
		known:  []byte("known"),
		ledger: &ledger{}, dice: rand.New(rand.NewPCG(1, 1)),
		deadline: time.Now().Add(20 * time.Second),
	}
}

// Whatever an engine or a bridge does wrong in an answer that looks like a
// success is seen.
func TestOperationsSeeEveryLie(t *testing.T) {
	for _, c := range []struct {
		lie string
		do  func(*client, context.Context) error
	}{
		{"", (*client).ping}, {"", (*client).inspect}, {"", (*client).dialogue},
		{"", (*client).follow}, {"", (*client).copy}, {"", (*client).echo},
		{"twice", (*client).ping}, {"byte", (*client).inspect}, {"other", (*client).dialogue},
		{"gap", (*client).follow}, {"double", (*client).follow}, {"file", (*client).copy},
		{"tail", (*client).echo}, {"changed", (*client).echo},
	} {
		var wrong loss
		if err := c.do(clientOf(t, c.lie), t.Context()); errors.As(err, &wrong) != (c.lie != "") || c.lie == "" && err != nil {
			t.Errorf("lie %q: %v", c.lie, err)
		}
	}
}
