package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// A write of no bytes to a pipe is a read of no bytes for its reader, and that
// ends standard input for ever, though more follows. (Message mode, where Wine
// delivers it as Windows does.)
func TestEmptyWriteEndsInput(t *testing.T) {
	for _, test := range []struct {
		writes []string
		want   string
	}{
		{[]string{"first ", "second"}, "first second"},
		{[]string{"first", "", "second"}, "first"},
	} {
		stdin, parent := messagePipe(t)
		conn, vm := tcpPair(t)
		go input(stdin, conn, wire.RelayBuffer)
		for _, text := range test.writes {
			var n uint32
			if err := windows.WriteFile(parent, []byte(text), &n, nil); err != nil && text != "second" {
				t.Fatal(err)
			}
		}
		windows.CloseHandle(parent)
		if got, err := io.ReadAll(vm); string(got) != test.want || err != nil {
			t.Errorf("%q: got %q, %v", test.writes, got, err)
		}
	}
}

// messagePipe makes a pipe that keeps writes apart.
func messagePipe(t *testing.T) (read *os.File, write windows.Handle) {
	t.Helper()
	name, err := windows.UTF16PtrFromString(fmt.Sprintf(`\\.\pipe\standin-%d-%p`, os.Getpid(), t))
	if err != nil {
		t.Fatal(err)
	}
	const message = windows.PIPE_TYPE_MESSAGE | windows.PIPE_READMODE_MESSAGE
	write, err = windows.CreateNamedPipe(name, windows.PIPE_ACCESS_OUTBOUND, message, 1, 4096, 4096, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.FILE_WRITE_ATTRIBUTES, 0, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	mode := uint32(windows.PIPE_READMODE_MESSAGE)
	if err := windows.SetNamedPipeHandleState(h, &mode, nil, nil); err != nil {
		t.Fatal(err)
	}
	read = os.NewFile(uintptr(h), "stdin")
	t.Cleanup(func() { read.Close() })
	return read, write
}

func tcpPair(t *testing.T) (ours, theirs *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return a.(*net.TCPConn), b.(*net.TCPConn)
}
