package endpoint

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// keepRetry is the pause before a socket that could not be made anew is tried again, if
// nothing happens in its directory before.
const keepRetry = 5 * time.Second

// keptListener is a socket that comes back when somebody else has removed it: a clean-up of
// /run, or an engine's own start script. Clients that had been taken from its queue stay.
type keptListener struct {
	access Access
	events *os.File // inotify; its end is the watcher's
	watch  sync.WaitGroup

	mu      sync.Mutex
	socket  *unixListener
	removed bool          // the socket is not the one at its path any more
	seen    fileID        // what was at the path when it was looked at last
	changed chan struct{} // closed, and replaced, when that is another file or none
	closed  bool
}

const watched = unix.IN_DELETE | unix.IN_DELETE_SELF | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_MOVE_SELF

// keepSocket watches a socket. Where nothing can be watched any more (inotify(7) has
// bounds for each user) it serves all the same, and does not come back.
func keepSocket(socket *unixListener, access Access) net.Listener {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return socket
	}
	k := &keptListener{access: access, events: os.NewFile(uintptr(fd), "inotify"), socket: socket, changed: make(chan struct{})}
	if k.watchSocketDir() != nil {
		_ = k.events.Close()
		return socket
	}
	k.watch.Go(k.followSocketPath)
	return k
}

// watchSocketDir watches the directory that the path leads to now.
func (k *keptListener) watchSocketDir() error {
	raw, err := k.events.SyscallConn()
	if err != nil {
		return err
	}
	var refused error
	err = raw.Control(func(fd uintptr) {
		_, refused = unix.InotifyAddWatch(int(fd), filepath.Dir(k.socket.path), watched)
	})
	if err = errors.Join(err, refused); err != nil {
		return fmt.Errorf("watch directory: %w", err)
	}
	return nil
}

// followSocketPath looks at the path whenever something happens in its directory. What it
// was is not read: the file that is there tells.
func (k *keptListener) followSocketPath() {
	events := make([]byte, 4096)
	for {
		k.mu.Lock()
		k.checkSocketFile()
		k.mu.Unlock()
		if _, err := k.events.Read(events); err != nil {
			return
		}
	}
}

// checkSocketFile is called after the directory is watched, too: what happened before that is no event.
// And an event is no change: to make the socket anew makes some in the directory.
func (k *keptListener) checkSocketFile() {
	id, _ := fileIDAt(k.socket.path) // the zero one if there is none
	if id != k.seen {
		k.seen = id
		close(k.changed)
		k.changed = make(chan struct{})
	}
	if !k.removed && id != k.socket.id {
		k.removed = true
		k.socket.id = fileID{}            // whose number may soon be another file's
		_ = k.socket.UnixListener.Close() // wakes Accept, which makes it anew
	}
}

func (k *keptListener) Accept() (net.Conn, error) {
	for {
		k.mu.Lock()
		socket := k.socket
		k.mu.Unlock()
		conn, err := socket.Accept()
		if err == nil {
			return conn, nil
		}
		changed, again := k.isSocketLost()
		if !again {
			return nil, err
		}
		if err := k.remakeSocket(); err != nil {
			select {
			case <-changed:
			case <-time.After(keepRetry):
			}
			return nil, err
		}
	}
}

// isSocketLost tells whether the socket is to be made anew, and when to try again if
// that fails.
func (k *keptListener) isSocketLost() (changed <-chan struct{}, again bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.changed, k.removed && !k.closed
}

func (k *keptListener) remakeSocket() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return net.ErrClosed
	}
	socket, err := makeSocket(k.socket.path, k.access)
	if err != nil {
		return fmt.Errorf("make socket anew at unix:%s: %w", k.socket.path, err)
	}
	socket.dir.made = socket.dir.made || k.socket.dir.made // once of our making
	k.socket, k.removed = socket, false
	if err := k.watchSocketDir(); err != nil {
		return err
	}
	k.checkSocketFile()
	return nil
}

func (k *keptListener) Addr() net.Addr {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.socket.Addr()
}

func (k *keptListener) Close() error {
	k.mu.Lock()
	if !k.closed {
		k.closed = true
		close(k.changed)
		k.changed = make(chan struct{})
	}
	err := k.socket.Close()
	k.mu.Unlock()
	_ = k.events.Close() // a second close says so
	k.watch.Wait()
	return err
}
