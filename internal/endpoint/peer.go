package endpoint

import (
	"log/slog"
	"net"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// Peer is who connected to a unix socket of ours, as the kernel knows it from that moment.
type Peer struct {
	UID, GID uint32
	PID      int32 // 0: a process of another pid namespace, such as one of another distro
}

// ProgramName is the name of the program's file, or "" where it can't be seen. A process that has
// ended, or become another program, is not who connected.
func (p Peer) ProgramName() string {
	if p.PID <= 0 {
		return ""
	}
	file, err := os.Readlink("/proc/" + strconv.Itoa(int(p.PID)) + "/exe")
	if err != nil {
		return ""
	}
	return path.Base(strings.TrimSuffix(file, " (deleted)"))
}

// LogValue makes a log say uid, gid and pid.
func (p Peer) LogValue() slog.Value {
	return slog.GroupValue(slog.Uint64("uid", uint64(p.UID)), slog.Uint64("gid", uint64(p.GID)), slog.Int("pid", int(p.PID)))
}

// PeerOf tells who is at the other end of a connection that was accepted at a unix
// socket. It is false for any other connection, and on Windows.
//
// It is for people who look for the origin of a connection. Nothing may be decided by
// it: a number can be another process by now, and who may connect is
// the affair of the socket's mode.
func PeerOf(conn net.Conn) (Peer, bool) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return Peer{}, false
	}
	if _, ok := conn.LocalAddr().(*net.UnixAddr); !ok {
		return Peer{}, false // TCP would answer, and nothing that is true
	}
	return lookUpPeer(c)
}
