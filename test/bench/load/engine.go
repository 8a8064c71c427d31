package load

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// HoldBytes is what a held stream carries each way before it rests.
const HoldBytes = 64 << 10

// LateBy is how long after the end of its input the engine says what is late.
const LateBy = time.Second

// Engine gives and takes bytes. It speaks as much HTTP as the product's probe
// and a client need.
//
//	GET  /_ping       as a Docker engine
//	GET  /down?n=N    N bytes
//	POST /up?n=N      takes N bytes, then says how many were right (8 bytes)
//	POST /both?n=N    both at once; the count comes last
//	POST /late?n=N    reads up to the end of input, and says N bytes LateBy later
//	POST /hold        HoldBytes each way; then nothing, until the client goes
type Engine struct {
	listeners []net.Listener
	conns     sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]bool // nil once it is closed
}

// Serve starts one at all of these. Close ends it.
func Serve(listeners ...net.Listener) *Engine {
	e := &Engine{listeners: listeners, open: map[net.Conn]bool{}}
	for _, l := range listeners {
		e.conns.Go(func() { e.accept(l) })
	}
	return e
}

// Close ends it with all its connections, and waits for that.
func (e *Engine) Close() (err error) {
	for _, l := range e.listeners {
		err = errors.Join(err, l.Close())
	}
	e.mu.Lock()
	for c := range e.open {
		_ = c.Close() // its goroutine may have done so
	}
	e.open = nil
	e.mu.Unlock()
	e.conns.Wait()
	return err
}

func (e *Engine) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // it is closed
		}
		e.mu.Lock()
		closed := e.open == nil
		if !closed {
			e.open[c] = true
			e.conns.Go(func() { e.serve(c) })
		}
		e.mu.Unlock()
		if closed {
			_ = c.Close()
		}
	}
}

func (e *Engine) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		e.mu.Lock()
		delete(e.open, c)
		e.mu.Unlock()
	}()
	in := bufio.NewReaderSize(c, 1024)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if again, err := answer(c, in, r.URL); err != nil || !again {
			return // the client sees it
		}
	}
}

// heads are the answers' first lines. What is upgraded is raw from there on.
const (
	headPing = "HTTP/1.1 200 OK\r\nServer: Bytes/1.0 (linux)\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Length: 2\r\n\r\nOK"
	headDown = "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
	headRaw  = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
	headNone = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
)

// answer answers one request, and tells whether there may be another.
func answer(c net.Conn, in io.Reader, u *url.URL) (again bool, err error) {
	n, _ := strconv.ParseInt(u.Query().Get("n"), 10, 64)
	head := headRaw
	switch u.Path {
	case "/_ping":
		head = headPing
	case "/down":
		head = fmt.Sprintf(headDown, n)
	case "/up", "/both", "/late", "/hold":
	default:
		head = headNone
	}
	if _, err := io.WriteString(c, head); err != nil {
		return false, err
	}
	switch u.Path {
	case "/down":
		return true, Send(c, n)
	case "/up":
		return false, judge(c, in, n)
	case "/both":
		return false, both(c, in, n)
	case "/late":
		return false, late(c, in, n)
	case "/hold":
		return false, hold(c, in)
	}
	return true, nil
}

// judge takes n bytes and says how many were right.
func judge(c io.Writer, in io.Reader, n int64) error {
	good, _ := Check(in, n) // the count tells
	return binary.Write(c, binary.BigEndian, good)
}

func both(c io.Writer, in io.Reader, n int64) error {
	counted := make(chan int64, 1)
	go func() {
		good, _ := Check(in, n)
		counted <- good
	}()
	err := Send(c, n)
	good := <-counted
	if err != nil {
		return err
	}
	return binary.Write(c, binary.BigEndian, good)
}

func late(c io.Writer, in io.Reader, n int64) error {
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	time.Sleep(LateBy) // that it is late is what is played here
	return Send(c, n)
}

// hold ends when the client goes.
func hold(c io.Writer, in io.Reader) error {
	if _, err := Check(in, HoldBytes); err != nil {
		return err
	}
	if err := Send(c, HoldBytes); err != nil {
		return err
	}
	_, err := in.Read(make([]byte, 1))
	return err
}
