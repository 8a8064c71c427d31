package control

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// Another user reaches nothing: neither the endpoint, also where its directory stands open, nor the
// file that tells where it is. He can't make one in its place either.
func TestAnotherUserReachesNothing(t *testing.T) {
	lab.Need(t, lab.PartRoot)
	dir := runDir(t)
	above := filepath.Dir(dir) // what keeps him out is the place itself
	if err := errors.Join(os.Mkdir(above, 0o755), os.Chmod(filepath.Dir(above), 0o755)); err != nil {
		t.Fatal(err)
	}
	openAt(t, dir, place, handler(func() { t.Error("it was asked to stop") }))
	at := one(t, dir).At
	for _, mode := range []os.FileMode{0o700, 0o755} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		asUser(1234, 5678, func() {
			if c, err := net.Dial("unix", at.Path()); !errors.Is(err, os.ErrPermission) {
				t.Errorf("directory %v: connected %v, %v", mode, c, err)
			}
			files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
			for _, f := range files {
				if b, err := os.ReadFile(f); !errors.Is(err, os.ErrPermission) {
					t.Errorf("directory %v: read %q, %v", mode, b, err)
				}
			}
			if err := os.Remove(at.Path()); err == nil {
				t.Errorf("directory %v: removed the socket", mode)
			}
			if l, err := net.Listen("unix", filepath.Join(dir, "mine.sock")); err == nil {
				l.Close()
				t.Errorf("directory %v: made a socket", mode)
			}
		})
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	one(t, dir) // its own user still does
}

// asUser runs f in a thread of another user, which ends with it.
func asUser(uid, gid uintptr, f func()) {
	var done sync.WaitGroup
	done.Go(func() {
		runtime.LockOSThread() // and never unlock
		_, _, gErr := syscall.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0)
		_, _, gidErr := syscall.RawSyscall(unix.SYS_SETRESGID, gid, gid, gid)
		if _, _, uErr := syscall.RawSyscall(unix.SYS_SETRESUID, uid, uid, uid); uErr|gErr|gidErr != 0 {
			panic(errors.Join(gErr, gidErr, uErr))
		}
		f()
	})
	done.Wait()
}
