package endpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// lockTimeout bounds the wait for another starter, who needs some milliseconds.
	lockTimeout = 5 * time.Second
	lockRetry   = 10 * time.Millisecond
)

// errRetry says that the lock is held, or that what it was taken on is gone.
var errRetry = errors.New("another start is under way there")

// ownDir is the directory of a socket, with the lock that keeps other starters out of it.
type ownDir struct {
	path string
	made bool // by us, so it is ours to remove
	lock string
	fd   int // of the lock file, -1 once unlocked
}

// openOwnDir makes or checks the directory and takes the lock for the name in it.
func openOwnDir(path, name string) (*ownDir, error) {
	d := &ownDir{path: path, lock: filepath.Join(path, "."+name+".lock"), fd: -1}
	for end := time.Now().Add(lockTimeout); ; {
		err := d.tryOpen()
		if err == nil {
			return d, nil
		}
		if !errors.Is(err, errRetry) || time.Now().After(end) {
			d.removeEmptyDir()
			return nil, err
		}
		time.Sleep(lockRetry)
	}
}

func (d *ownDir) tryOpen() error {
	// First what is above it: to make a directory there is to follow whoever leads there.
	if err := checkPathWay(filepath.Dir(d.path), os.Geteuid()); err != nil {
		return err
	}
	if err := d.makeDir(); err != nil {
		return err
	}
	if err := checkPathWay(d.path, os.Geteuid()); err != nil {
		return err
	}
	return d.takeLock()
}

func (d *ownDir) makeDir() error {
	err := os.Mkdir(d.path, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	d.made = true
	return os.Chmod(d.path, 0o755) // the umask may have taken bits
}

// checkOwnDir refuses a directory in which somebody else could replace our socket, or what
// leads to it.
func checkOwnDir(path string, euid int) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return fmt.Errorf("%s is no directory", path)
	case st.Uid != 0 && int(st.Uid) != euid:
		return fmt.Errorf("directory %s belongs to uid %d, who could replace the socket", path, st.Uid)
	case st.Mode&0o022 != 0 && st.Mode&unix.S_ISVTX == 0:
		return fmt.Errorf("directory %s has mode %04o: others could replace the socket", path, st.Mode&0o7777)
	}
	return nil
}

// takeLock locks a file beside the socket that only we can open; a lock on the directory
// could be held for ever by anybody who may read it. The holder removes the file before it
// unlocks, so a lock counts only if its file is still the one with the name.
func (d *ownDir) takeLock() error {
	dir, err := unix.Open(d.path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT { // the directory went meanwhile
		return errRetry
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", d.path, err)
	}
	defer unix.Close(dir)
	fd, err := unix.Openat(dir, filepath.Base(d.lock), unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0o600)
	if err == unix.ENOENT {
		var st unix.Stat_t
		if unix.Fstat(dir, &st) != nil || st.Nlink == 0 { // likewise
			return errRetry
		}
		return fmt.Errorf("directory %s takes no new file", d.path) // one of /proc says it so
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", d.lock, err)
	}
	if err := lockOwnFile(fd, d.lock); err != nil {
		unix.Close(fd)
		return err
	}
	d.fd = fd
	return nil
}

func lockOwnFile(fd int, name string) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("look at %s: %w", name, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s is not ours but of uid %d; it was left alone", name, st.Uid)
	}
	err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		return errRetry
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	if id, err := fileIDAt(name); err != nil || id != fileIDOf(&st) {
		return errRetry
	}
	return nil
}

func (d *ownDir) unlockDir() {
	if d.fd < 0 {
		return
	}
	os.Remove(d.lock)
	unix.Close(d.fd)
	d.fd = -1
}

// removeEmptyDir removes a directory of our making; one that is in use is not empty and stays.
func (d *ownDir) removeEmptyDir() {
	if d.made {
		unix.Rmdir(d.path)
	}
}
