package endpoint

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// mine is access for whoever runs the tests.
func mine() Access { return Access{Mode: 0o600, Uid: os.Geteuid(), Gid: os.Getegid()} }

func TestListenGrantsExactlyTheAccess(t *testing.T) {
	needRoot(t)
	path := filepath.Join(openTempDir(t), "s")
	l, err := Listen(path, Access{Mode: 0o660, Uid: 1234, Gid: 5678})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	if st.Mode != unix.S_IFSOCK|0o660 || st.Uid != 1234 || st.Gid != 5678 {
		t.Errorf("mode %o, owner %d:%d", st.Mode, st.Uid, st.Gid)
	}
	for _, tc := range []struct {
		uid, gid int
		ok       bool
	}{{1234, 9, true}, {9, 5678, true}, {9, 9, false}} {
		asUser(tc.uid, tc.gid, func() {
			if err := connectOnce(path); (err == nil) != tc.ok {
				t.Errorf("uid %d gid %d: %v", tc.uid, tc.gid, err)
			}
		})
	}
}

func connectOnce(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, &unix.SockaddrUnix{Name: path})
}

// Even with the most careless umask a stranger has no moment to get in.
func TestNobodyReachesASocketInTheMaking(t *testing.T) {
	needRoot(t)
	path := filepath.Join(openTempDir(t), "s")
	defer unix.Umask(unix.Umask(0))
	var stop atomic.Bool
	var tries, hits atomic.Int64
	var stranger sync.WaitGroup
	stranger.Go(func() {
		asUser(1234, 1234, func() {
			for !stop.Load() {
				tries.Add(1)
				if connectOnce(path) == nil {
					hits.Add(1)
				}
			}
		})
	})
	for range 500 {
		l, err := Listen(path, Access{Mode: 0o600})
		if err != nil {
			t.Error(err)
			break
		}
		l.Close()
	}
	stop.Store(true)
	stranger.Wait()
	t.Logf("%d tries, %d got in", tries.Load(), hits.Load())
	if hits.Load() > 0 {
		t.Error("a stranger got in")
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	stale(t, path)
	l, err := Listen(path, mine())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.Addr().String() != path {
		t.Errorf("address %s", l.Addr())
	}
	go greet(l, "us")
	if got := ask(t, path); got != "us" {
		t.Errorf("served by %q", got)
	}
}

func TestLiveSocketIsNamedAndLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	pid := squat(t, path)
	_, err := Listen(path, mine())
	var inUse *InUseError
	if !errors.As(err, &inUse) {
		t.Fatalf("error %v", err)
	}
	exe, _ := os.Executable()
	if inUse.PID != pid || inUse.Program != filepath.Base(exe) || inUse.Path != path {
		t.Errorf("named %+v, want pid %d and %s", inUse, pid, filepath.Base(exe))
	}
	if want := "listen at unix:" + path + ": " + filepath.Base(exe) + " (pid "; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %q", err)
	}
	if got := ask(t, path); got != "squatter" {
		t.Errorf("served by %q", got)
	}
}

func TestASocketOfAnotherTypeIsInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	var inUse *InUseError
	if _, err := Listen(path, mine()); !errors.As(err, &inUse) {
		t.Errorf("error %v", err)
	}
}

func TestWhatIsNoSocketIsLeftAlone(t *testing.T) {
	for _, tc := range []struct {
		want string
		make func(path string) error
	}{
		{"there is a file already", func(p string) error { return os.WriteFile(p, []byte("precious"), 0o600) }},
		{"there is a directory already", func(p string) error { return os.Mkdir(p, 0o700) }},
		{"there is a symbolic link already", func(p string) error { return os.Symlink("/nowhere", p) }},
		{"no socket already", func(p string) error { return unix.Mkfifo(p, 0o600) }},
	} {
		path := filepath.Join(t.TempDir(), "s")
		if err := tc.make(path); err != nil {
			t.Fatal(err)
		}
		before, _ := os.Lstat(path)
		_, err := Listen(path, mine())
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want %q", err, tc.want)
		}
		after, err := os.Lstat(path)
		if err != nil || !os.SameFile(before, after) {
			t.Errorf("%s: it was touched: %v", tc.want, err)
		}
	}
}

func TestASymlinkToAStaleSocketIsNotFollowed(t *testing.T) {
	dir := t.TempDir()
	stale(t, filepath.Join(dir, "theirs"))
	if err := os.Symlink("theirs", filepath.Join(dir, "s")); err != nil {
		t.Fatal(err)
	}
	if l, err := Listen(filepath.Join(dir, "s"), mine()); err == nil {
		l.Close()
		t.Error("it was followed")
	}
	if _, err := os.Lstat(filepath.Join(dir, "theirs")); err != nil {
		t.Error(err)
	}
}

func TestCloseRemovesOnlyItsOwnSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path, mine())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	squat(t, path)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, path); got != "squatter" {
		t.Errorf("served by %q", got)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept after close: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

// ask is what a client hears from whoever serves path.
func ask(t *testing.T, path string) string {
	t.Helper()
	c, err := unixAt(t, path).Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	who, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(who)
}

func list(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}
