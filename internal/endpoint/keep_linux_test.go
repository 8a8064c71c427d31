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

// A stranger who took the path is asked now and then whether he is still there, and not
// again because of the lock file that the asking itself makes and removes.
func TestAStrangerAtThePathIsNotAskedWithoutEnd(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	l, err := Listen(path, mine())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	other, err := net.Listen("unix", filepath.Join(dir, "other"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	go greet(other, "other")
	if err := os.Rename(filepath.Join(dir, "other"), path); err != nil {
		t.Fatal(err)
	}
	accepted := make(chan error)
	go func() {
		for {
			c, err := l.Accept()
			if err == nil {
				c.Close()
			}
			select {
			case accepted <- err:
			case <-t.Context().Done():
				return
			}
		}
	}()
	select { // the time that passes is what is tested
	case err := <-accepted:
		t.Errorf("asked again before %v were over: %v", keepRetry, err)
	case <-time.After(keepRetry / 5):
	}
	served(t, path, "other")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	go func() {
		for range accepted {
		}
	}()
	began := time.Now()
	for err := error(nil); ; time.Sleep(time.Millisecond) { // as in served
		var c net.Conn
		if c, err = net.Dial("unix", path); err == nil {
			c.Close()
			break
		}
		if time.Since(began) > keepRetry/2 {
			t.Fatalf("it is not back: %v", err)
		}
	}
}
