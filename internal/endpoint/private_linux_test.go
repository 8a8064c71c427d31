package endpoint

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPrivateEndpointIsForItsUserAlone(t *testing.T) {
	needRoot(t)
	// The way to it is open to everybody, so that what keeps others out is the place itself.
	dir := filepath.Join(openTempDir(t), "deep", "run")
	e, err := PrivateEndpoint(dir, "one")
	if err != nil {
		t.Fatal(err)
	}
	l, err := e.ListenPrivate()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go greet(l, "me")
	for path, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, e.Path(): os.ModeSocket | 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s has %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	if _, err := e.Dial(context.Background()); err != nil {
		t.Errorf("its own user: %v", err)
	}
	// Neither by its name nor when the directory stands open for once.
	for _, mode := range []os.FileMode{0o700, 0o755} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		asUser(1234, 5678, func() {
			if c, err := net.Dial("unix", e.Path()); !errors.Is(err, os.ErrPermission) {
				t.Errorf("another user, directory %v: %v, %v", mode, c, err)
			}
		})
	}
	var inUse *InUseError
	if _, err := e.ListenPrivate(); err == nil || !strings.Contains(err.Error(), "open to others") {
		t.Errorf("in a directory that stands open: %v", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := e.ListenPrivate(); !errors.As(err, &inUse) || inUse.PID != os.Getpid() {
		t.Errorf("a second listener: %v", err)
	}
	l.Close()
	if _, err := os.Lstat(e.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Close: %v", err)
	}
}

func TestPrivateDirectoryOfSomebodyElse(t *testing.T) {
	needRoot(t)
	dir := filepath.Join(openTempDir(t), "run")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, 1234, 5678); err != nil {
		t.Fatal(err)
	}
	e, err := PrivateEndpoint(dir, "one")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.ListenPrivate(); err == nil || !strings.Contains(err.Error(), "belongs to uid 1234") {
		t.Errorf("%v", err)
	}
}
