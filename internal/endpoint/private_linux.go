package endpoint

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func privateEndpoint(dir, name string) (Endpoint, error) {
	return Parse("unix:"+filepath.Join(dir, name+".sock"), "linux")
}

func (e Endpoint) listenPrivate() (net.Listener, error) {
	if e.scheme != unixScheme {
		return nil, errors.ErrUnsupported
	}
	if err := makePrivateDir(filepath.Dir(e.addr)); err != nil {
		return nil, err
	}
	return listenUnix(e.addr, Access{Mode: 0o600, Uid: os.Geteuid(), Gid: os.Getegid()})
}

// makePrivateDir makes a directory that nobody else may even look into, or wants it to be one.
func makePrivateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return fmt.Errorf("look at %s: %w", dir, err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return fmt.Errorf("%s is no directory", dir)
	case int(st.Uid) != os.Geteuid():
		return fmt.Errorf("directory %s belongs to uid %d", dir, st.Uid)
	case st.Mode&0o077 != 0:
		return fmt.Errorf("directory %s has mode %04o: it is open to others", dir, st.Mode&0o7777)
	}
	return nil
}
