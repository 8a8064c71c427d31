package endpoint

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// onTmpfs is a directory that others may enter, on a file system as /mnt/wsl is one.
func onTmpfs(t *testing.T) string {
	t.Helper()
	needRoot(t)
	dir, err := os.MkdirTemp("/dev/shm", "endpoint-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Those of the list come in, and root; nobody else, whatever his groups.
func TestUsersOfAListAreLetIn(t *testing.T) {
	path := filepath.Join(onTmpfs(t), "s")
	l, err := Listen(path, ForUsers([]int{0, 1234, 5678}))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, tc := range []struct {
		uid, gid int
		ok       bool
	}{{0, 0, true}, {1234, 9, true}, {5678, 9, true}, {9, 1234, false}, {9, 0, false}, {1, 1, false}} {
		asUser(tc.uid, tc.gid, func() {
			if err := connectOnce(path); (err == nil) != tc.ok || !tc.ok && !errors.Is(err, unix.EACCES) {
				t.Errorf("uid %d gid %d: %v", tc.uid, tc.gid, err)
			}
		})
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := ForUsers([]int{0, 1234, 5678}).ShownMode(); info.Mode().Perm() != want {
		t.Errorf("the mode is %v, told is %v", info.Mode(), want)
	}
}

// One user owns the socket: no list is needed.
func TestOneUserOwnsTheSocket(t *testing.T) {
	for _, tc := range []struct {
		uids []int
		want string
	}{{nil, "0600 0:0"}, {[]int{0}, "0600 0:0"}, {[]int{1234}, "0600 1234:0"}, {[]int{0, 1234}, "0600 1234:0"}, {[]int{1, 2}, "0660 0:0"}} {
		if a := ForUsers(tc.uids); a.String() != tc.want {
			t.Errorf("%v: %v, want %s", tc.uids, a, tc.want)
		}
	}
}

// Where there are no lists that is an error.
func TestAListTakesAFileSystemThatHasThem(t *testing.T) {
	const without = "/proc/self/status"
	if err := letUsersIn(without, nil); err != nil {
		t.Errorf("with nobody to be let in: %v", err)
	}
	if err := letUsersIn(without, []int{1, 2}); !errors.Is(err, errNoLists) {
		t.Errorf("%v, want %v", err, errNoLists)
	}
}
