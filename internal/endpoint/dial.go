package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"
)

const (
	// dialTimeout bounds a Dial whose context has no deadline. A listener is busy only
	// between two accepts; one that is so for 5 s serves nobody.
	dialTimeout = 5 * time.Second
	// busyRetry is how often a busy place is tried again (go-winio's step for pipes).
	busyRetry = 10 * time.Millisecond
)

// ErrBusy says that somebody listens but took no connection in time.
var ErrBusy = errors.New("the listener is busy")

// CloseWriter is what a connection offers that can end one direction and keep the
// other: unix sockets do, commands, and pipes in message mode, which is what dockerd.exe
// makes.
//
// One rule for those that don't (pipes in byte mode): the end of input can't be passed
// on, so nothing is closed for it. The connection lives until its other direction ends, since
// closing it would cost the answer that is on its way.
//
// On a message-mode pipe CloseWrite blocks until the far side has read everything
// (go-winio flushes first); call it where only this direction waits. Close frees it.
type CloseWriter interface {
	CloseWrite() error
}

// Resetter is what a connection offers that can end as failed, so that its far side gets
// an error instead of an end of stream: unix sockets do, within what the kernel has to
// offer, both those that were dialled and those a listener of Listen gave.
//
// Pipes don't: an end of stream is a message of no bytes there, and a full close is
// ERROR_BROKEN_PIPE, which go-winio reads as an end of stream, too. Close is all there
// is for a failed one. The same holds for commands, which see the end of their stdin.
type Resetter interface {
	Reset() error
}

// Dial connects. A busy place is tried again until ctx ends, or for 5 s if ctx has no
// deadline. The error tells callers apart what happened, on both systems alike:
//
//	fs.ErrNotExist           nobody listens there, or there is no such place or program
//	fs.ErrPermission         we may not connect, or may not run the program
//	ErrBusy                  busy until the time was up; also os.ErrDeadlineExceeded
//	ErrOwner                 a pipe of somebody else's; an *OwnerError
//	context.Canceled         ctx was cancelled
//
// Pipes are dialled at the anonymous level: whoever owns the pipe can't act as us. One that
// belongs neither to the system nor to the administrators nor to us is closed before
// it has got a byte.
func (e Endpoint) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := e.DialAnyOwner(ctx)
	if err != nil || e.scheme != pipeScheme {
		return conn, err
	}
	if err := checkPipeOwner(conn); err != nil {
		return nil, errors.Join(fmt.Errorf("dial %s: %w", e, err), conn.Close())
	}
	return conn, nil
}

// DialAnyOwner is Dial for a pipe whose owner the person trusts, whoever that is.
func (e Endpoint) DialAnyOwner(ctx context.Context) (net.Conn, error) {
	if _, has := ctx.Deadline(); !has {
		limited, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		ctx = limited
	}
	conn, err := e.dialByScheme(ctx)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", e, classifyDialError(err))
	}
	return conn, nil
}

func (e Endpoint) dialByScheme(ctx context.Context) (net.Conn, error) {
	switch e.scheme {
	case unixScheme:
		return dialUnix(ctx, e.addr)
	case pipeScheme:
		return dialPipe(ctx, e.addr)
	case execScheme:
		return dialExec(ctx, e)
	}
	return nil, errors.New("no endpoint was given")
}

// reason is a cause with the kind of error it is for callers.
type reason struct {
	kind  error
	text  string
	cause error
}

func (r *reason) Error() string   { return r.text }
func (r *reason) Unwrap() []error { return []error{r.kind, r.cause} }

func classifyDialError(err error) error {
	if known := (*reason)(nil); errors.As(err, &known) {
		return known
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &reason{fs.ErrNotExist, "there is no such place", err}
	case isConnectionRefused(err):
		return &reason{fs.ErrNotExist, "nobody listens there", err}
	case errors.Is(err, fs.ErrPermission):
		return &reason{fs.ErrPermission, "access denied", err}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return &reason{ErrBusy, ErrBusy.Error(), errors.Join(os.ErrDeadlineExceeded, err)}
	}
	// What net and go-winio wrap around it names the place a second time.
	if oe := (*net.OpError)(nil); errors.As(err, &oe) {
		return oe.Err
	}
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// dialUnix tries again while the listener's queue is full, which a non-blocking connect
// to a unix socket reports at once instead of waiting (connect(2), EAGAIN).
func dialUnix(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "unix", addr)
		if err == nil {
			return withReset(conn)
		}
		if !isQueueFull(err) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(busyRetry):
		}
	}
}
