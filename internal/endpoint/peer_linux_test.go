package endpoint

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPeerIsWhoConnected(t *testing.T) {
	l, err := Listen(filepath.Join(t.TempDir(), "s"), mine())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go connectOnce(l.Addr().String())
	want := Peer{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), PID: int32(os.Getpid())}
	if got, ok := acceptPeer(t, l); !ok || got != want {
		t.Errorf("peer %+v, %v, want %+v", got, ok, want)
	}
	if _, ok := PeerOf(nil); ok {
		t.Error("no connection has a peer")
	}
}

func TestPeerOfAnotherUser(t *testing.T) {
	needRoot(t)
	l, err := Listen(filepath.Join(openTempDir(t), "s"), Access{Mode: 0o666})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		runtime.LockOSThread() // and never unlock: this thread alone changes its user
		syscall.RawSyscall(unix.SYS_SETRESGID, 5678, 5678, 5678)
		syscall.RawSyscall(unix.SYS_SETRESUID, 1234, 1234, 1234)
		connectOnce(l.Addr().String())
	}()
	if got, ok := acceptPeer(t, l); !ok || got != (Peer{UID: 1234, GID: 5678, PID: int32(os.Getpid())}) {
		t.Errorf("peer %+v, %v", got, ok)
	}
}

func acceptPeer(t *testing.T, l net.Listener) (Peer, bool) {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return PeerOf(c)
}
