package endpoint

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"testing"
	"time"
	"unsafe"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

func TestDialOfNoPipe(t *testing.T) {
	_, err := pipe(t, "nobody-made-this").Dial(context.Background())
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if want := "dial npipe:////./pipe/nobody-made-this: there is no such place"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestDialOfAForbiddenPipe(t *testing.T) {
	// A pipe that only takes bytes can't be opened for both directions.
	e := pipe(t, "endpoint-test-inbound")
	serve(t, e, windows.PIPE_ACCESS_INBOUND)
	_, err := e.Dial(context.Background())
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v", err)
	}
}

func TestDialOfABusyPipeEndsInTime(t *testing.T) {
	e := pipe(t, "endpoint-test-busy")
	serve(t, e, windows.PIPE_ACCESS_DUPLEX) // the only instance
	first, err := e.Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err = e.Dial(ctx)
	if !errors.Is(err, ErrBusy) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	if _, err = e.Dial(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestMessagePipesEndOneDirection(t *testing.T) {
	e := pipe(t, "endpoint-test-message")
	l, err := winio.ListenPipe(e.Path(), &winio.PipeConfig{
		MessageMode: true, InputBufferSize: 65536, OutputBufferSize: 65536,
		SecurityDescriptor: trusted,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go echo(l)
	// Under Wine the first client can land on the instance that go-winio opens and drops to
	// park its listener, and is never served; it is not waited for.
	if c, err := e.Dial(context.Background()); err == nil {
		c.Close()
	}
	c, err := e.Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Write([]byte("request")); err != nil {
		t.Fatal(err)
	}
	if err := c.(CloseWriter).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); string(got) != "all of: request" || err != nil {
		t.Errorf("answer %q, %v", got, err)
	}
}

// echo answers each client when it has seen the end of its request.
func echo(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			request, _ := io.ReadAll(c)
			c.Write(append([]byte("all of: "), request...))
			c.(CloseWriter).CloseWrite()
		}()
	}
}

// trusted is the owner that dockerd.exe's pipe has. Under Wine a pipe's default owner is not
// the user that made it.
const trusted = "O:BAD:P(A;;GA;;;WD)"

func pipe(t *testing.T, name string) Endpoint {
	t.Helper()
	e, err := Parse(name, "windows")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// serve makes one instance of a pipe that nobody reads from.
func serve(t *testing.T, e Endpoint, access uint32) {
	t.Helper()
	name, err := windows.UTF16PtrFromString(e.Path())
	if err != nil {
		t.Fatal(err)
	}
	sd, err := windows.SecurityDescriptorFromString(trusted)
	if err != nil {
		t.Fatal(err)
	}
	sa := &windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(*sa))
	h, err := windows.CreateNamedPipe(name, access|windows.FILE_FLAG_FIRST_PIPE_INSTANCE, windows.PIPE_TYPE_BYTE, 1, 4096, 4096, 0, sa)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { windows.CloseHandle(h) })
}
