package endpoint

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMissingDirectoryIsMadeAndRemoved(t *testing.T) {
	defer unix.Umask(unix.Umask(0o077))
	dir := filepath.Join(t.TempDir(), "made")
	l, err := Listen(filepath.Join(dir, "s"), mine())
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	l.Close()
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory we made is still there: %v", err)
	}
}

func TestADirectoryInUseStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	l, err := Listen(filepath.Join(dir, "s"), mine())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if names := list(t, dir); names != "other" {
		t.Errorf("left: %s", names)
	}
}

func TestOnlyTheLastDirectoryIsMade(t *testing.T) {
	dir := t.TempDir()
	_, err := Listen(filepath.Join(dir, "a/b/s"), mine())
	if err == nil || !strings.HasSuffix(err.Error(), "there is no directory "+filepath.Join(dir, "a")) {
		t.Errorf("error %v", err)
	}
}

func TestUnsafeDirectoriesAreRefused(t *testing.T) {
	base := t.TempDir()
	mkdir := func(name string, mode uint32) string {
		p := filepath.Join(base, name)
		if err := unix.Mkdir(p, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := unix.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
		return p
	}
	os.Symlink(mkdir("real", 0o755), filepath.Join(base, "link"))
	os.WriteFile(filepath.Join(base, "file"), nil, 0o600)
	mkdir("group", 0o775)
	mkdir("world", 0o757)
	mkdir("sticky", 0o1777)
	if os.Geteuid() == 0 {
		os.Chown(mkdir("eves", 0o755), 1234, 1234)
	}
	for name, want := range map[string]string{
		"real": "", "sticky": "", "link": "",
		"file":  "is no directory",
		"group": "has mode 0775: others could replace the socket",
		"world": "has mode 0757: others could replace the socket",
		"eves":  "belongs to uid 1234, who could replace the socket",
	} {
		if name == "eves" && os.Geteuid() != 0 {
			continue
		}
		l, err := Listen(filepath.Join(base, name, "s"), mine())
		if err == nil {
			l.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestOfManyStartersOneWins(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	for round := range 30 {
		stale(t, path)
		var starters sync.WaitGroup
		won := make(chan net.Listener, 8)
		for range cap(won) {
			starters.Go(func() {
				l, err := Listen(path, mine())
				var inUse *InUseError
				if err == nil {
					won <- l
				} else if !errors.As(err, &inUse) {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		starters.Wait()
		if len(won) != 1 {
			t.Fatalf("round %d: %d won", round, len(won))
		}
		l := <-won
		if err := connectOnce(path); err != nil {
			t.Errorf("round %d: the winner can't be reached: %v", round, err)
		}
		l.Close()
		if left := list(t, dir); left != "" {
			t.Fatalf("round %d: left over: %s", round, left)
		}
	}
}

func TestALockFileLeftByAKilledStarterIsNoObstacle(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".s.lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Listen(filepath.Join(dir, "s"), mine())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if left := list(t, dir); left != "" {
		t.Errorf("left over: %s", left)
	}
}

func TestALockOnAFileThatWasRemovedDoesNotCount(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	os.Remove(name) // as the holder before us does
	if err := lockOwnFile(int(f.Fd()), name); !errors.Is(err, errRetry) {
		t.Errorf("no file: %v", err)
	}
	os.WriteFile(name, nil, 0o600) // and the next one has his
	if err := lockOwnFile(int(f.Fd()), name); !errors.Is(err, errRetry) {
		t.Errorf("another file: %v", err)
	}
}

func TestALockFileOfSomebodyElseIsLeftAlone(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	lock := filepath.Join(dir, ".s.lock")
	if err := os.WriteFile(lock, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	os.Chown(lock, 1234, 1234)
	_, err := Listen(filepath.Join(dir, "s"), mine())
	if err == nil || !strings.Contains(err.Error(), "of uid 1234; it was left alone") {
		t.Errorf("error %v", err)
	}
}

// It was once taken for a start of somebody else, for 5 s.
func TestADirectoryThatTakesNoFilesIsNamed(t *testing.T) {
	_, err := Listen("/proc/x.sock", mine())
	if err == nil || !strings.Contains(err.Error(), "directory /proc takes no new file") || errors.Is(err, errRetry) {
		t.Errorf("error %v", err)
	}
	_, err = Listen("/proc/x/x.sock", mine())
	if err == nil || errors.Is(err, errRetry) {
		t.Errorf("error %v", err)
	}
}

func TestADirectoryThatGoesMeanwhileIsTriedAgain(t *testing.T) {
	dir := t.TempDir() + "/run"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d := &ownDir{path: dir, lock: dir + "/.s.lock", fd: -1}
	os.Remove(dir)
	if err := d.takeLock(); !errors.Is(err, errRetry) {
		t.Errorf("error %v", err)
	}
}
