package main

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
)

// socketPath is where a socket of the host's words lies here, and whether all distros see it.
func socketPath(socket string) (path string, shared bool, err error) {
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", false, fmt.Errorf("list mounts: %w", err)
	}
	return paths.FromShared(socket, string(mountinfo))
}

// accessFor is who may connect to a socket: by this distro's names, or by numbers where it is
// not this distro's alone.
func accessFor(l bridge.Listen, shared bool) (endpoint.Access, error) {
	if shared {
		return endpoint.ForUsers(l.Uids), nil
	}
	return endpoint.LookupAccess(os.DirFS("/etc"), l.Mode, l.Owner, -1)
}

// ownerWords are likewise.
func ownerWords(etc fs.FS, a endpoint.Access, shared bool) string {
	if shared {
		return fmt.Sprintf("%d:%d", a.Uid, a.Gid)
	}
	return endpoint.OwnerNames(etc, a)
}

// sharedListener takes its directory along, whoever has made that: when its distro is gone the agent of
// another one goes on in it.
type sharedListener struct {
	net.Listener
	path string
}

func (l sharedListener) Close() error {
	err := l.Listener.Close()
	removeDir(l.path)
	return err
}

// removeDir removes the directory of a shared socket if there is nothing else in it.
func removeDir(socket string) { _ = os.Remove(filepath.Dir(socket)) }
