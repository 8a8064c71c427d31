package endpoint

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A socket gets its owner and mode again; a file does not, nor a socket where others could exchange it.
func TestRegrant(t *testing.T) {
	needRoot(t)
	dir := openTempDir(t)
	path := filepath.Join(dir, "s")
	want := Access{Mode: 0o660, Uid: 1234, Gid: 5678}
	l, err := Listen(path, want)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	access := func(path string) [3]uint32 {
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			t.Fatal(err)
		}
		return [3]uint32{st.Mode & 0o7777, st.Uid, st.Gid}
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 1, 2); err != nil {
		t.Fatal(err)
	}
	if err := RestoreAccess(path, want); err != nil || access(path) != [3]uint32{0o660, 1234, 5678} {
		t.Errorf("%v, %o", err, access(path))
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := RestoreAccess(file, want); err == nil || access(file) != [3]uint32{0o600, 0, 0} {
		t.Errorf("a file: %v, %o", err, access(file))
	}
	if err := RestoreAccess(filepath.Join(dir, "none"), want); !os.IsNotExist(err) && err == nil {
		t.Errorf("none: %v", err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := RestoreAccess(path, Access{Mode: 0o600}); err == nil || access(path)[0] != 0o660 {
		t.Errorf("where everybody writes: %v, %o", err, access(path))
	}
}
