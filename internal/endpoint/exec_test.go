package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
)

// made is a command that plays a role.
func made(t testing.TB, role string, args ...string) Endpoint {
	t.Helper()
	e, err := Exec(self(role, args...))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// run dials a command that ends with the test.
func run(t *testing.T, role string, args ...string) net.Conn {
	t.Helper()
	c, err := made(t, role, args...).Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

func TestExecNeedsACommand(t *testing.T) {
	for _, argv := range [][]string{nil, {""}, {"a", "b\x00c"}} {
		if e, err := Exec(argv); err == nil {
			t.Errorf("%q became %v", argv, e)
		}
	}
}

// Whether a command's program is there is seen without a start of it.
func TestThereLooksUpAProgram(t *testing.T) {
	if certain, err := made(t, "exit", "1", "").CheckExists(t.Context()); certain || err != nil {
		t.Errorf("%v, %v", certain, err)
	}
	e, err := Exec([]string{"no-such-program-of-anybody", "a"})
	if err != nil {
		t.Fatal(err)
	}
	_, there := e.CheckExists(t.Context())
	_, dialled := e.Dial(t.Context())
	if !errors.Is(there, fs.ErrNotExist) || dialled == nil || there.Error() != dialled.Error() {
		t.Errorf("%v, and a dial says %v", there, dialled)
	}
}

func TestExecShowsItsWords(t *testing.T) {
	for want, argv := range map[string][]string{
		"exec: docker system dial-stdio":                   {"docker", "system", "dial-stdio"},
		`exec: a "" "b c" "\x1b[2J" "\u202e" "\"" "C:\\x"`: {"a", "", "b c", "\x1b[2J", "\u202e", `"`, `C:\x`},
	} {
		e, err := Exec(argv)
		if err != nil || e.String() != want || e.Path() != argv[0] {
			t.Errorf("%q: %v at %q, %v", argv, e, e.Path(), err)
		}
		if again, _ := Exec(argv); e != again {
			t.Errorf("%q is not equal to itself", argv)
		}
	}
}

func TestExecPassesItsWordsUnchanged(t *testing.T) {
	args := []string{"", "a b", `"`, `c\`, `\"d`, "*", "$HOME %PATH%", "é"}
	got, err := io.ReadAll(run(t, "args", args...))
	if want := fmt.Sprintf("%q", args); string(got) != want || err != nil {
		t.Errorf("the command was given %s, want %s; %v", got, want, err)
	}
}

func TestExecEchoes(t *testing.T) {
	c := run(t, "cat")
	if _, err := io.WriteString(c, "request"); err != nil {
		t.Fatal(err)
	}
	if err := c.(CloseWriter).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Errorf("set a deadline after the end of a direction: %v", err)
	}
	if got, err := io.ReadAll(c); string(got) != "request" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// How a command ends is how the connection does; what it says on stderr is in no error.
func TestExecTellsAFailureFromAnEnd(t *testing.T) {
	for _, tc := range []struct {
		code, output string
		want         error
	}{
		{"0", "", nil},
		{"0", "all of it", nil},
		{"3", "", &ExitError{3}},
		{"3", "half of it", &ExitError{3}},
	} {
		got, err := io.ReadAll(run(t, "exit", tc.code, tc.output))
		if string(got) != tc.output {
			t.Errorf("read %q, want %q", got, tc.output)
		}
		if fmt.Sprint(err) != fmt.Sprint(tc.want) {
			t.Errorf("exit code %s: %v, want %v", tc.code, err, tc.want)
		}
	}
}

func TestExecOfNoProgram(t *testing.T) {
	for _, name := range []string{"no-such-program-anywhere", self("")[0] + "-not"} {
		e, err := Exec([]string{name, "arg"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Dial(context.Background())
		if !errors.Is(err, fs.ErrNotExist) || !strings.HasSuffix(err.Error(), ": there is no such program") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExecObeysACancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := made(t, "cat").Dial(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A command that reads nothing, writes nothing and has flooded its stderr is ended.
func TestExecCloseIsBoundedAndLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	c := run(t, "deaf")
	if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() { _, err := c.Read(make([]byte, 1)); read <- err }()
	began := time.Now()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("closed in %v", time.Since(began))
	<-c.(*command).process.Done() // reaped
	if err := <-read; !errors.Is(err, net.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
	for limit := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(limit) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// carried makes connections whose one end is a command that hands on to the other.
func carried(t testing.TB) (dial func() (near, far halfclose.Conn, err error)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	e := made(t, "carry", l.Addr().String())
	return func() (near, far halfclose.Conn, err error) {
		c, err := e.Dial(context.Background())
		if err != nil {
			return nil, nil, err
		}
		engine, err := l.Accept()
		if err != nil {
			return nil, nil, errors.Join(err, c.Close())
		}
		return c.(halfclose.Conn), engine.(halfclose.Conn), nil
	}
}

// halfClosed makes connections for the conformance.
func halfClosed(t *testing.T) halfclose.Make {
	dial := carried(t)
	return func(t *testing.T) (client, engine halfclose.Conn) {
		client, engine, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		return client, engine
	}
}

// Of a link's commands no more than so many run at once; the next one has room when one has ended.
func TestCommandsAreBounded(t *testing.T) {
	commands := made(t, "cat").Commands(1, nil)
	first, err := commands.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // a bound, not a pause: it is full
	defer cancel()
	if _, err := commands.Dial(short); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "1 commands run") {
		t.Errorf("a second one: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil { // makes no more room
		t.Error(err)
	}
	second, err := commands.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	short, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := commands.Dial(short); !errors.Is(err, ErrBusy) {
		t.Errorf("a third one: %v", err)
	}
	none, err := Exec([]string{"no-such-program"})
	if err != nil {
		t.Fatal(err)
	}
	commands = none.Commands(1, nil)
	for range 3 { // what does not start takes no room
		if _, err := commands.Dial(t.Context()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v", err)
		}
	}
}

type chanWriter chan string

func (w chanWriter) Write(b []byte) (int, error) {
	w <- string(b)
	return len(b), nil
}

// What a command says on stderr is heard while it runs.
func TestCommandsAreHeard(t *testing.T) {
	heard := make(chan string, 100)
	c, err := made(t, "exit", "0", "").Commands(1, func() io.Writer { return chanWriter(heard) }).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	select {
	case said := <-heard:
		if said != "a secret of the peer's" {
			t.Errorf("heard %q", said)
		}
	case <-time.After(30 * time.Second):
		t.Error("nothing was heard")
	}
}
