package endpoint

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// playHere is the other program that has the socket already.
func playHere(role string, args []string) int {
	if role != "squat" {
		return 98
	}
	l, err := net.Listen("unix", args[0])
	if err != nil {
		return 1
	}
	fmt.Println("ready")
	go greet(l, "squatter")
	io.Copy(io.Discard, os.Stdin) // until the test ends
	l.Close()
	return 0
}

// greet says who serves to every client.
func greet(l net.Listener, who string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		io.WriteString(c, who)
		c.Close()
	}
}

// squat has another process listen at path and returns its number.
func squat(t *testing.T, path string) int {
	t.Helper()
	argv := self("squat", path)
	cmd := exec.Command(argv[0], argv[1:]...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); cmd.Wait() })
	if _, err := stdout.Read(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

// needRoot is for tests about other users.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("this test needs root")
	}
	t.Skip("this test needs root")
}

// asUser runs f on a thread that has the file access rights of uid and gid only. The
// thread ends with it.
func asUser(uid, gid int, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock: the thread is of no more use
		syscall.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0)
		unix.Setfsgid(gid)
		unix.Setfsuid(uid)
		f()
	}()
	<-done
}
