//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

const (
	pipeSize  = 256 << 10 // as the product's on Linux
	pieceSize = 32 << 10  // as the product's largest
)

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 3 && args[0] == "near":
		err = near(args[1], args[2])
	case len(args) == 2 && args[0] == "far":
		err = far(args[1])
	default:
		err = errors.New("usage: bare near SOCKET ENGINE")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

// near takes clients, and has a far one for each.
func near(socket, engine string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: socket}), unix.Listen(fd, 16)); err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		client, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
		if err != nil {
			return err
		}
		go func() {
			if err := carry(client, engine); err != nil {
				fmt.Fprintln(os.Stderr, "bare:", err)
			}
		}()
	}
}

func carry(client int, engine string) error {
	defer unix.Close(client)
	there, here, err := pipes()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "far", engine)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.NewFile(uintptr(there[0]), "in"), os.NewFile(uintptr(here[1]), "out"), os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	unix.Close(there[0])
	unix.Close(here[1])
	go func() {
		pass(there[1], client)
		unix.Close(there[1])
	}()
	pass(client, here[0])
	unix.Close(here[0])
	return cmd.Wait()
}

func pipes() (there, here [2]int, err error) {
	for _, p := range []*[2]int{&there, &here} {
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			return there, here, err
		}
		if _, err := unix.FcntlInt(uintptr(p[0]), unix.F_SETPIPE_SZ, pipeSize); err != nil {
			return there, here, err
		}
	}
	return there, here, nil
}

func far(engine string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: engine}); err != nil {
		return err
	}
	go func() {
		pass(fd, 0)
		_ = unix.Shutdown(fd, unix.SHUT_WR) // its end may have come first
	}()
	pass(1, fd)
	return nil
}

// pass copies until either side ends. The calls block: nothing is asked but to read and to write.
func pass(to, from int) {
	b := make([]byte, pieceSize)
	for {
		n, err := unix.Read(from, b)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			return
		}
		for p := b[:n]; len(p) > 0; {
			n, err := unix.Write(to, p)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				return
			}
			p = p[n:]
		}
	}
}
