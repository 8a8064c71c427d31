package endpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"golang.org/x/sys/unix"
)

// unixListener is a listening socket and the name that leads to it.
type unixListener struct {
	*net.UnixListener
	path string
	id   fileID
	dir  *ownDir

	closeOnce sync.Once
	closeErr  error
}

// fileID tells one file from another that has its name later.
type fileID struct{ dev, ino uint64 }

func listenUnix(path string, access Access) (net.Listener, error) {
	socket, err := makeSocket(path, access)
	if err != nil {
		return nil, err
	}
	return keepSocket(socket, access), nil
}

func makeSocket(path string, access Access) (*unixListener, error) {
	if err := checkSocketPath(path); err != nil {
		return nil, err
	}
	dir, err := openOwnDir(filepath.Dir(path), filepath.Base(path))
	if err != nil {
		return nil, err
	}
	defer dir.unlockDir()
	l, err := listenLocked(path, access)
	if err != nil {
		dir.unlockDir()
		dir.removeEmptyDir()
		return nil, err
	}
	l.dir = dir
	return l, nil
}

func checkSocketPath(path string) error {
	if !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" {
		return errors.New("it is no clean absolute path")
	}
	if len(path) > maxUnix {
		return fmt.Errorf("the path has %d bytes, a socket's may have %d", len(path), maxUnix)
	}
	return nil
}

func listenLocked(path string, access Access) (*unixListener, error) {
	if err := clearSocketPlace(path); err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("make socket: %w", err)
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close() // net.FileListener has its own copy
	id, err := bindSocket(fd, path, access)
	if err != nil {
		return nil, err
	}
	l, err := listenOnSocket(fd, file)
	if err != nil {
		os.Remove(path)
		return nil, err
	}
	return &unixListener{UnixListener: l, path: path, id: id}, nil
}

// bindSocket gives the socket its name with mode 0600, whatever the umask, and widens it from there:
// the file takes the mode of the socket's own inode (unix_bind_bsd in net/unix/af_unix.c).
// To narrow a wider mode before listen(2) is not enough: a connect that has passed
// the check of the name is completed after it. (Seen within 14,000 tries.)
func bindSocket(fd int, path string, access Access) (fileID, error) {
	if err := unix.Fchmod(fd, 0o600); err != nil {
		return fileID{}, fmt.Errorf("limit socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return fileID{}, fmt.Errorf("bind: %w", err)
	}
	id, err := grantAccess(path, access)
	if err != nil {
		os.Remove(path)
		return fileID{}, err
	}
	return id, nil
}

// grantAccess sets owner and mode of the socket itself, through a descriptor, so that nothing
// else can be given away under its name.
func grantAccess(path string, access Access) (fileID, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return fileID{}, fmt.Errorf("open socket: %w", err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fileID{}, fmt.Errorf("look at socket: %w", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return fileID{}, errors.New("somebody put another file in its place")
	}
	if err := unix.Fchownat(fd, "", access.Uid, access.Gid, unix.AT_EMPTY_PATH); err != nil {
		return fileID{}, fmt.Errorf("give socket to %d:%d: %w", access.Uid, access.Gid, err)
	}
	// fchmod(2) refuses O_PATH descriptors; their name in /proc is the way (open(2)).
	if err := unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), uint32(access.Mode.Perm())); err != nil {
		return fileID{}, fmt.Errorf("set mode of socket: %w", err)
	}
	if err := letUsersIn("/proc/self/fd/"+strconv.Itoa(fd), access.Users); err != nil {
		return fileID{}, err
	}
	return fileIDOf(&st), nil
}

// listenOnSocket asks for the longest queue there is; the kernel cuts it to somaxconn.
func listenOnSocket(fd int, file *os.File) (*net.UnixListener, error) {
	if err := unix.Listen(fd, 1<<16); err != nil {
		return nil, err
	}
	l, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	return l.(*net.UnixListener), nil
}

func (l *unixListener) Accept() (net.Conn, error) {
	c, err := l.AcceptUnix()
	if err != nil {
		return nil, err
	}
	return newUnixConn(c)
}

func (l *unixListener) Close() error {
	l.closeOnce.Do(func() {
		// While we still accept, nobody of ours replaces the file: between this look and
		// the removal only a stranger with rights to the directory could.
		if id, err := fileIDAt(l.path); err == nil && id == l.id {
			os.Remove(l.path)
		}
		if err := l.UnixListener.Close(); !errors.Is(err, net.ErrClosed) { // else its watcher was quicker
			l.closeErr = err
		}
		l.dir.removeEmptyDir()
	})
	return l.closeErr
}

func fileIDAt(path string) (fileID, error) {
	var st unix.Stat_t
	err := unix.Lstat(path, &st)
	return fileIDOf(&st), err
}

func fileIDOf(st *unix.Stat_t) fileID { return fileID{uint64(st.Dev), st.Ino} }

// clearSocketPlace leaves nothing at path, or says what is there.
func clearSocketPlace(path string) error {
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if st.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("there is %s already; it was left alone", fileKindOf(st.Mode()))
	}
	live, err := probeSocket(path)
	if live || err != nil {
		return err
	}
	return os.Remove(path)
}

// removeStale is clearSocketPlace with other starters kept out, so that none of them
// is taken for dead between its bind and its listen.
func removeStale(path string) error {
	if err := checkSocketPath(path); err != nil {
		return err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil // and nothing is made in order to look
	}
	dir, err := openOwnDir(filepath.Dir(path), filepath.Base(path))
	if err != nil {
		return err
	}
	defer dir.unlockDir()
	return clearSocketPlace(path)
}

func restoreAccess(path string, access Access) error {
	if err := checkSocketPath(path); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err != nil {
		return err // and nothing is made in order to look
	}
	dir, err := openOwnDir(filepath.Dir(path), filepath.Base(path))
	if err != nil {
		return err
	}
	defer dir.unlockDir()
	_, err = grantAccess(path, access)
	return err
}

func fileKindOf(m fs.FileMode) string {
	switch m.Type() {
	case 0:
		return "a file"
	case fs.ModeDir:
		return "a directory"
	case fs.ModeSymlink:
		return "a symbolic link"
	}
	return "something that is no socket"
}

// probeSocket tells a live socket, with the *InUseError that names its program, from a dead one.
func probeSocket(path string) (live bool, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return false, fmt.Errorf("make socket: %w", err)
	}
	defer unix.Close(fd)
	switch err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err {
	case nil:
		return true, inUseBy(fd, path)
	case unix.EAGAIN, unix.EPROTOTYPE: // a full queue; a socket of another type
		return true, &InUseError{Path: path}
	case unix.ECONNREFUSED, unix.ENOENT:
		return false, nil
	default:
		return false, fmt.Errorf("ask whether somebody listens: %w", err)
	}
}

// inUseBy names the listener: a connected client's peer credentials are those of
// the process that called listen(2) (unix(7), SO_PEERCRED).
func inUseBy(fd int, path string) error {
	e := &InUseError{Path: path}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil || cred.Pid == 0 {
		return e
	}
	e.PID = int(cred.Pid)
	proc := fmt.Sprintf("/proc/%d/", cred.Pid)
	if exe, err := os.Readlink(proc + "exe"); err == nil {
		e.Program = printable.Line(strings.TrimSuffix(filepath.Base(exe), " (deleted)"))
	} else if comm, err := os.ReadFile(proc + "comm"); err == nil {
		e.Program = printable.Line(strings.TrimSpace(string(comm)))
	}
	return e
}
