package endpoint

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
)

// The test binary is its own child: with "play" as its first argument it plays the role
// that follows.
func TestMain(m *testing.M) {
	if len(os.Args) < 3 || os.Args[1] != "play" {
		os.Exit(m.Run())
	}
	// No child outlives its test by more than this, whatever goes wrong.
	time.AfterFunc(time.Minute, func() { os.Exit(99) })
	os.Exit(play(os.Args[2], os.Args[3:]))
}

// self is this binary in a role.
func self(role string, args ...string) []string {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return append([]string{exe, "play", role}, args...)
}

func play(role string, args []string) int {
	switch role {
	case "cat":
		io.Copy(os.Stdout, os.Stdin)
	case "args":
		fmt.Printf("%q", args)
	case "exit":
		fmt.Print(args[1])
		fmt.Fprint(os.Stderr, "a secret of the peer's")
		code, _ := strconv.Atoi(args[0])
		return code
	case "mute":
		os.Stdout.Close()
		io.Copy(io.Discard, os.Stdin)
	case "deaf":
		os.Stderr.Write(bytes.Repeat([]byte("flood "), 1<<20/6))
		fmt.Print("up")
		time.Sleep(time.Hour) // TestMain's minute ends it
	case "carry":
		return carry(args[0])
	default:
		return playHere(role, args)
	}
	return 0
}

// carry joins its stdio to a TCP connection, direction by direction.
func carry(address string) int {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 1
	}
	engine := conn.(halfclose.Conn)
	out := make(chan error, 1)
	go func() {
		_, err := io.Copy(os.Stdout, engine)
		os.Stdout.Close()
		out <- err
	}()
	// Not the file itself: TransmitFile, which io.Copy would use on Windows, waits for more.
	_, err = io.Copy(engine, struct{ io.Reader }{os.Stdin})
	engine.CloseWrite()
	if err != nil || <-out != nil {
		return 2
	}
	return 0
}
