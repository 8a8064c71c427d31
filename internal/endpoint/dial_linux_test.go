package endpoint

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func unixAt(t *testing.T, path string) Endpoint {
	t.Helper()
	e, err := Parse("unix:"+path, "linux")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestDialTellsWhatIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	e := unixAt(t, path)
	_, err := e.Dial(context.Background())
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != "dial unix:"+path+": there is no such place" {
		t.Errorf("no file: %v", err)
	}
	stale(t, path)
	_, err = e.Dial(context.Background())
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != "dial unix:"+path+": nobody listens there" {
		t.Errorf("a stale socket: %v", err)
	}
	_, err = Endpoint{}.Dial(context.Background())
	if err == nil {
		t.Error("no endpoint at all was dialled")
	}
}

// A socket that is there may have nobody who listens.
func TestThereConnectsToASocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	e := unixAt(t, path)
	stale(t, path)
	if certain, err := e.CheckExists(t.Context()); !certain || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a stale socket: %v, %v", certain, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if certain, err := e.CheckExists(t.Context()); !certain || err != nil {
		t.Errorf("a live one: %v, %v", certain, err)
	}
}

func TestDialOfAForbiddenSocket(t *testing.T) {
	needRoot(t)
	path := filepath.Join(openTempDir(t), "s")
	l, err := Listen(path, Access{Mode: 0o600})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	asUser(1234, 1234, func() { _, err = unixAt(t, path).Dial(context.Background()) })
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v", err)
	}
}

func TestDialWaitsForABusyListener(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd := raw(t, path)
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	e := unixAt(t, path)
	first, err := e.Dial(context.Background()) // fills a queue of one
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := e.Dial(ctx); !errors.Is(err, ErrBusy) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a full queue: %v", err)
	}
	served := make(chan error, 1)
	go func() {
		second, err := e.Dial(context.Background())
		if err == nil {
			second.Close()
		}
		served <- err
	}()
	if _, _, err := unix.Accept(fd); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Errorf("once there is room: %v", err)
	}
}

func TestDialObeysACancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := unixAt(t, filepath.Join(t.TempDir(), "s")).Dial(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestUnixSocketsEndOneDirection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path, Access{Mode: 0o600, Uid: os.Geteuid(), Gid: os.Getegid()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		request, _ := io.ReadAll(c)
		c.Write(append([]byte("all of: "), request...))
	}()
	c, err := unixAt(t, path).Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("request"))
	if err := c.(CloseWriter).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); string(got) != "all of: request" || err != nil {
		t.Errorf("answer %q, %v", got, err)
	}
}

// raw is a bound socket that does not listen yet.
func raw(t *testing.T, path string) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	return fd
}

// stale leaves a socket file behind as a killed program does.
func stale(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

// openTempDir is a directory that other users can enter; t.TempDir's parent may be closed.
func openTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "endpoint-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
