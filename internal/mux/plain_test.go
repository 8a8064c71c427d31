package mux

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"
)

// plainEnd is an end of a pair of unix sockets.
type plainEnd struct{ *net.UnixConn }

// CloseRead drops what is there and what was under way, as a stream does: a
// writer that polls is woken by room in its buffer only, and what is unread at
// the end would be a reset.
func (e plainEnd) CloseRead(Code) error {
	err := e.UnixConn.CloseRead()
	_, drained := io.Copy(io.Discard, e.UnixConn)
	return errors.Join(err, drained)
}

// Reset is what plain sockets have no call for.
func (e plainEnd) Reset(Code) error { return errors.ErrUnsupported }

// plainPair gives connected sockets.
func plainPair(t *testing.T) (a, b plainEnd) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s")})
	if err != nil {
		panic(err) // this is not the test's goroutine
	}
	defer l.Close()
	near, err := net.DialUnix("unix", nil, l.Addr().(*net.UnixAddr))
	if err != nil {
		panic(err) // this is not the test's goroutine
	}
	far, err := l.AcceptUnix()
	if err != nil {
		panic(err) // this is not the test's goroutine
	}
	return plainEnd{near}, plainEnd{far}
}

// delivered is what of an outcome the plans alone decide, whatever the time:
// how the reader ended and, if it read to the end, how many bytes it got. What a
// writer can still hand on to a reader that stops is a matter of buffers.
func (o outcome) delivered() string {
	switch {
	case o.garbled:
		return "other bytes"
	case o.readErr == nil:
		return "as many bytes as were wanted"
	}
	return fmt.Sprintf("%d bytes, then %v", o.got, o.readErr)
}

// plainly plays plans with plain sockets. These have no reset: judge alone tells
// what becomes of one.
func (s *scheduled) plainly(p, q plan) (ends [2]outcome) {
	if p.writeEnd == "reset" || q.writeEnd == "reset" {
		return ends
	}
	a, b := plainPair(s.t)
	ends[0], ends[1] = playBoth(a, b, p, q)
	return ends
}

// compare wants of a stream what the sockets delivered.
func (s *scheduled) compare(id uint32, stream, plain [2]outcome) {
	for i, o := range stream {
		if plain[i] == (outcome{}) {
			continue
		}
		if got, want := o.delivered(), plain[i].delivered(); got != want {
			s.t.Errorf("seed %d: stream %d: the reader, which %v, got %s; over a socket it gets %s", s.seed, id, o.plan, got, want)
		}
	}
}
