package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// half is a connection whose directions end one by one.
type half interface {
	net.Conn
	CloseWrite() error
}

// A talk is one connection to the engine's API.
type talk struct {
	half
	in    *bufio.Reader
	heard bool // something
	bytes *int64
}

// talk connects.
func (c *client) talk() (*talk, error) {
	conn, err := c.dial()
	if err != nil {
		return nil, &failure{error: fmt.Errorf("connect: %w", err)}
	}
	t := &talk{half: conn.(half), bytes: &c.bytes}
	t.in = bufio.NewReader(t)
	if err := t.SetDeadline(c.deadline); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *talk) Read(b []byte) (int, error) {
	n, err := t.half.Read(b)
	*t.bytes += int64(n)
	t.heard = t.heard || n > 0
	return n, err
}

func (t *talk) Write(b []byte) (int, error) {
	n, err := t.half.Write(b)
	*t.bytes += int64(n)
	return n, err
}

// fails makes an error of the connection's a failure.
func (t *talk) fails(doing string, err error) error {
	return &failure{error: fmt.Errorf("%s: %w", doing, err), heard: t.heard}
}

// request is one, with its body.
func request(method, path string, body []byte, lines ...string) []byte {
	head := append([]string{method + " " + path + " HTTP/1.1", "Host: docker", fmt.Sprintf("Content-Length: %d", len(body))}, lines...)
	if len(body) > 0 && body[0] == '{' {
		head = append(head, "Content-Type: application/json")
	}
	return append([]byte(strings.Join(head, "\r\n")+"\r\n\r\n"), body...)
}

// say writes a request. Where it breaks off, an answer may have come all the same.
func (t *talk) say(b []byte) error {
	if _, err := t.Write(b); err != nil {
		return t.fails("say", err)
	}
	return nil
}

// answer reads the head of one. A 503 is the bridge's: that is a failure.
func (t *talk) answer(method string) (*http.Response, error) {
	resp, err := http.ReadResponse(t.in, &http.Request{Method: method})
	if err != nil {
		return nil, t.fails("hear", err)
	}
	if resp.StatusCode == http.StatusServiceUnavailable {
		said, err := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return nil, &failure{error: fmt.Errorf("answered %s: %q, %v", resp.Status, said, err), told: true, heard: true}
	}
	return resp, nil
}

// exchange is one request and its whole answer.
func (t *talk) exchange(method, path string, body []byte, lines ...string) (status int, said []byte, err error) {
	if err := t.say(request(method, path, body, lines...)); err != nil {
		// Who was told before all was said finds the answer waiting.
		if _, heard := t.answer(method); isTold(heard) {
			return 0, nil, heard
		}
		return 0, nil, err
	}
	return t.whole(method)
}

func (t *talk) whole(method string) (status int, said []byte, err error) {
	resp, err := t.answer(method)
	if err != nil {
		return 0, nil, err
	}
	if said, err = io.ReadAll(resp.Body); err != nil {
		return 0, nil, t.fails("hear the rest", err)
	}
	return resp.StatusCode, said, nil
}

func isTold(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.told
}

// once is one request on a connection of its own, which ends behind the answer.
func (c *client) once(method, path string, body []byte) (status int, said []byte, err error) {
	t, err := c.talk()
	if err != nil {
		return 0, nil, err
	}
	defer t.Close()
	status, said, err = t.exchange(method, path, body, "Connection: close")
	if err != nil {
		return 0, nil, err
	}
	rest, err := io.ReadAll(t.in)
	switch {
	case len(rest) > 0:
		return 0, nil, lost("%s %s: %d bytes behind the answer", method, path, len(rest))
	case err != nil:
		return 0, nil, t.fails("hear the end", err)
	}
	return status, said, nil
}

// unexpected is an answer that a calm engine does not give.
func unexpected(what string, status int, said []byte) error {
	return &failure{error: fmt.Errorf("%s: status %d: %.200q", what, status, said), heard: true}
}

// ping tells whether the engine answers, within 10 s.
func ping(dial func() (net.Conn, error)) error {
	c := &client{dial: dial, deadline: time.Now().Add(10 * time.Second)}
	status, said, err := c.once(http.MethodGet, "/_ping", nil)
	if err == nil && (status != http.StatusOK || !bytes.Equal(said, []byte("OK"))) {
		err = lost("ping: status %d, %q", status, said)
	}
	return err
}
