package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
)

// exitWait bounds the wait for a command's exit code once its output has ended. As a rule
// both come at once; a command that closes its output and lives on makes its reader
// wait this long for the end of it.
const exitWait = time.Second

// Exec is the endpoint that a command is: each Dial starts it anew and its stdin and stdout
// are the connection. argv[0] is looked up in PATH if it has no slash; there is no shell.
func Exec(argv []string) (Endpoint, error) {
	if len(argv) == 0 || argv[0] == "" {
		return Endpoint{}, errors.New("make exec endpoint: there is no command")
	}
	for _, arg := range argv {
		if strings.ContainsRune(arg, 0) {
			return Endpoint{}, fmt.Errorf("make exec endpoint: argument %s has a NUL in it", quoteShort(arg))
		}
	}
	return Endpoint{execScheme, strings.Join(argv, "\x00")}, nil
}

// IsCommand tells an endpoint of Exec.
func (e Endpoint) IsCommand() bool { return e.scheme == execScheme }

func (e Endpoint) commandArgs() []string { return strings.Split(e.addr, "\x00") }

// quoteCommand shows a command so that the words stay apart and a terminal obeys none of them.
func quoteCommand(argv []string) string {
	shown := slices.Clone(argv)
	for i, arg := range argv {
		if arg == "" || strings.ContainsFunc(arg, needsQuotes) {
			shown[i] = fmt.Sprintf("%+q", arg)
		}
	}
	return strings.Join(shown, " ")
}

func needsQuotes(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }

// ExitError is how a connection to a command ends that did not exit with 0: what the
// command had said can be read before it.
type ExitError struct {
	Code int // as carrier.Process gives it: -1 is a signal on Linux
}

func (e *ExitError) Error() string {
	if e.Code == -1 {
		return "the command was killed"
	}
	return fmt.Sprintf("the command ended with exit code %d", e.Code)
}

// Commands dials a command in bounds, and listens to what it says on stderr.
type Commands struct {
	e      Endpoint
	stderr func() io.Writer
	room   chan struct{}
}

// Commands has at most so many of an Exec endpoint's processes run at once. stderr makes a writer
// for what one of them says there, live; it may be nil.
func (e Endpoint) Commands(most int, stderr func() io.Writer) *Commands {
	return &Commands{e: e, stderr: stderr, room: make(chan struct{}, most)}
}

// Dial is Endpoint.Dial. While too many run it waits, and is ErrBusy like a busy place.
func (c *Commands) Dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := c.dialCommand(ctx)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", c.e, classifyDialError(err))
	}
	return conn, nil
}

func (c *Commands) dialCommand(ctx context.Context) (net.Conn, error) {
	select {
	case c.room <- struct{}{}:
	case <-ctx.Done():
		return nil, &reason{ErrBusy, fmt.Sprintf("%d commands run, which is the most", cap(c.room)), errors.Join(os.ErrDeadlineExceeded, ctx.Err())}
	}
	leave := func() { <-c.room }
	var stderr io.Writer
	if c.stderr != nil {
		stderr = c.stderr()
	}
	conn, err := startCommand(ctx, c.e, stderr, leave)
	if err != nil {
		leave()
		return nil, err
	}
	return conn, nil
}

func dialExec(ctx context.Context, e Endpoint) (net.Conn, error) {
	return startCommand(ctx, e, nil, func() {})
}

// startCommand has leave called when the process has been reaped.
func startCommand(ctx context.Context, e Endpoint, stderr io.Writer, leave func()) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	argv := e.commandArgs()
	process, err := carrier.Start(carrier.Command{Path: argv[0], Args: argv[1:], Stderr: stderr})
	if err != nil {
		return nil, causeOfStart(err)
	}
	c := &command{process: process, e: e, leave: sync.OnceFunc(leave)}
	c.end = sync.OnceValue(c.awaitExit)
	return c, nil
}

// causeOfStart knows that a program that is not in PATH is no file that does not exist for
// os/exec, and that what is wrapped around a cause names the program again.
func causeOfStart(err error) error {
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return &reason{fs.ErrNotExist, "there is no such program", err}
	case errors.Is(err, fs.ErrPermission):
		return &reason{fs.ErrPermission, "the program may not be run", err}
	}
	return err
}

// command is a connection to a running command. CloseWrite ends its stdin; Close ends and
// reaps it within 1 s if it obeys the end of its stdin, within 7 s at the most. The last
// 32 KiB of its stderr are kept and, but for Commands, shown to nobody.
type command struct {
	process *carrier.Process
	e       Endpoint
	end     func() error // of its output
	leave   func()

	writeEnded atomic.Bool
}

func (c *command) Read(b []byte) (int, error) {
	n, err := c.process.Read(b)
	if err == io.EOF {
		return n, c.end()
	}
	return n, causeOfConn(err)
}

// awaitExit tells a command that is through from one that failed.
func (c *command) awaitExit() error {
	select {
	case <-c.process.Done():
	case <-time.After(exitWait):
		return io.EOF
	}
	if code := c.process.ExitCode(); code != 0 {
		return &ExitError{code}
	}
	return io.EOF
}

func (c *command) Write(b []byte) (int, error) {
	n, err := c.process.Write(b)
	return n, causeOfConn(err)
}

func (c *command) CloseWrite() error {
	c.writeEnded.Store(true)
	return causeOfConn(c.process.CloseWrite())
}

func (c *command) Close() error {
	defer c.leave()
	return causeOfConn(c.process.CloseAfter(0))
}

func (c *command) LocalAddr() net.Addr  { return execAddr{c.e} }
func (c *command) RemoteAddr() net.Addr { return execAddr{c.e} }

func (c *command) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *command) SetReadDeadline(t time.Time) error {
	return causeOfConn(c.process.SetReadDeadline(t))
}

func (c *command) SetWriteDeadline(t time.Time) error {
	if c.writeEnded.Load() {
		return nil // no write waits
	}
	return causeOfConn(c.process.SetWriteDeadline(t))
}

// causeOfConn gives an error of a file the type that those of a net.Conn have.
func causeOfConn(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded // a net.Error
	case errors.Is(err, os.ErrClosed):
		return net.ErrClosed
	}
	return err
}

type execAddr struct{ e Endpoint }

func (execAddr) Network() string  { return "exec" }
func (a execAddr) String() string { return a.e.String() }
