package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

// Whoever waits, reads nothing or says nothing keeps nobody out: a status is answered beside them, and a
// stop has the bridge end.
func TestCrowdKeepsNobodyOut(t *testing.T) {
	const silent, never = "", "\r\n"
	byteByByte := "GET /v1/status HTTP/1.1\r\nHost: x\r\nX: "
	for name, request := range map[string]string{
		"drains":                 "POST /v1/drain?timeoutSeconds=600 HTTP/1.1\r\nHost: x\r\n\r\n",
		"drains without an end":  "POST /v1/drain?timeoutSeconds=600 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
		"reloads":                "POST /v1/reload HTTP/1.1\r\nHost: x\r\n\r\n",
		"reloads without an end": "POST /v1/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
		"readers of nothing":     "GET /v1/streams HTTP/1.1\r\nHost: x\r\n\r\n",
		"silent":                 silent,
		"an empty line":          never,
		"slow heads":             byteByByte,
	} {
		for _, n := range []int{16, 64, maxConns + maxWaits + 1} {
			t.Run(fmt.Sprint(name, "/", n), func(t *testing.T) { crowd(t, request, n) })
		}
	}
}

func crowd(t *testing.T, request string, n int) {
	dir := runDir(t)
	ended := make(chan struct{})
	h := handler(sync.OnceFunc(func() { close(ended) }))
	h.Drain, h.Drained = func(time.Duration) {}, func() int64 { return 0 }
	h.Reload = func(ctx context.Context) (Reloaded, error) {
		<-ctx.Done()
		return Reloaded{}, ctx.Err()
	}
	large := Traffic{Version: strings.Repeat("x", 1<<20)} // more than a socket takes
	h.Traffic = func(context.Context) Traffic { return large }
	i := openAt(t, dir, place, h)
	at := one(t, dir).At
	for range n {
		conn, err := at.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if s, err := AskStatus(t.Context(), at); err != nil || s.PID != os.Getpid() {
			t.Errorf("status: %+v, %v", s, err)
		}
	}
	stopped := make(chan error, 1)
	go func() { stopped <- StopInstance(t.Context(), at) }()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("nobody was asked to stop")
	}
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// One that comes beyond the bound of those that wait is told so, and a stop stops all the same.
func TestTooManyWait(t *testing.T) {
	dir := runDir(t)
	stops := make(chan struct{}, maxWaits+1)
	h := handler(func() { stops <- struct{}{} })
	drains := make(chan struct{}, maxWaits+1)
	h.Drain, h.Drained = func(time.Duration) { drains <- struct{}{} }, func() int64 { return 0 }
	i := openAt(t, dir, place, h)
	at := one(t, dir).At
	for range maxWaits {
		ask(t, at, "POST /v1/drain?timeoutSeconds=600")
		<-drains
		ask(t, at, "POST /v1/stop")
		<-stops
	}
	if _, err := DrainInstance(t.Context(), at, time.Hour); !errors.Is(err, errTooManyWait) {
		t.Errorf("one more drain: %v", err)
	}
	if got := raw(t, at, "POST /v1/stop HTTP/1.1\r\nHost: x\r\n\r\n"); got != http.StatusServiceUnavailable {
		t.Errorf("one more stop: status %d", got)
	}
	<-stops // it was heard
	one(t, dir)
	if err := i.Close(); err != nil {
		t.Error(err)
	}
}

// A client that has left waits no more.
func TestWhoLeavesWaitsNoMore(t *testing.T) {
	dir := runDir(t)
	h := handler(nil)
	left := make(chan struct{})
	h.Reload = func(ctx context.Context) (Reloaded, error) {
		<-ctx.Done()
		close(left)
		return Reloaded{}, ctx.Err()
	}
	openAt(t, dir, place, h)
	conn := send(t, one(t, dir).At, "POST /v1/reload")
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-left:
	case <-time.After(time.Minute):
		t.Error("it waits for a client that has left")
	}
}

// ask sends a request and reads the head of its answer.
func ask(t *testing.T, at endpoint.Endpoint, request string) {
	t.Helper()
	conn := send(t, at, request)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %+v, %v", request, answer, err)
	}
}

func send(t *testing.T, at endpoint.Endpoint, request string) net.Conn {
	t.Helper()
	conn, err := at.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, request+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return conn
}
