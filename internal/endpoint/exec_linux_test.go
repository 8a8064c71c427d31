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

	"golang.org/x/net/nettest"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
)

func TestExecHalfClose(t *testing.T) { halfclose.Test(t, halfClosed(t)) }

func TestExecIsAConn(t *testing.T) {
	dial := carried(t)
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		c1, c2, err = dial()
		return c1, c2, func() { c2.Close(); c1.Close() }, err
	})
}

// A command may end its output and take input for long.
func TestExecMayEndItsOutputFirst(t *testing.T) {
	c := run(t, "mute")
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read: %v", err)
	}
	if _, err := c.Write([]byte("more")); err != nil {
		t.Errorf("write: %v", err)
	}
}

// A program of Linux, found by PATH.
func TestExecOfCat(t *testing.T) {
	e, err := Exec([]string{"cat"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "request"); err != nil {
		t.Fatal(err)
	}
	if err := c.(CloseWriter).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); string(got) != "request" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestExecOfAForbiddenProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := Exec([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Dial(context.Background()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v", err)
	}
}

// A killed command has not come to its end.
func TestExecTellsAKill(t *testing.T) {
	e, err := Exec([]string{"sh", "-c", "echo half; kill -9 $$"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var failed *ExitError
	if got, err := io.ReadAll(c); string(got) != "half\n" || !errors.As(err, &failed) || failed.Code != -1 {
		t.Errorf("got %q, %v", got, err)
	}
}
