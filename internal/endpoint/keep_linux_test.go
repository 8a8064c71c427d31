package endpoint

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// served waits until path is served by whom.
func served(t *testing.T, path, whom string) {
	t.Helper()
	limit := time.Now().Add(10 * time.Second)
	for said := ""; said != whom; {
		if time.Now().After(limit) {
			t.Fatalf("served by %q, want %q", said, whom)
		}
		if _, err := os.Lstat(path); err == nil {
			if c, err := net.Dial("unix", path); err == nil {
				b := make([]byte, len(whom))
				n, _ := c.Read(b)
				said = string(b[:n])
				c.Close()
			}
		}
		time.Sleep(time.Millisecond) // a stranger's file system event has no other listener
	}
}

// greeted is a kept socket that greets everybody.
func greeted(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := Listen(path, mine())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if c != nil {
				c.Write([]byte("ours"))
				c.Close()
			}
			if err != nil && strings.Contains(err.Error(), net.ErrClosed.Error()) {
				return
			}
		}
	}()
	served(t, path, "ours")
	return l
}

// Somebody deletes the socket, or its directory, or puts another file in its
// place for a while: it is there again.
func TestARemovedSocketComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	path := filepath.Join(dir, "s")
	l := greeted(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	served(t, path, "ours")
	for os.RemoveAll(dir) != nil { // it came back already
	}
	served(t, path, "ours")
	file := filepath.Join(dir, "other")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file, path); err != nil { // in its place
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	served(t, path, "ours")
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory is left: %v", err)
	}
}
