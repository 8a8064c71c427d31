package tunnel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// The test binary is its own wsl.exe and agent: roleEnv says what it plays.
const roleEnv = "DAEMON_TEST_ROLE"

// dirEnv names the directory that wsl.exe's world is in:
//
//	running  the names of the distros that run
//	asked    what was started in the distro, a line each
//	clean    if it is there, a fifo at which clean waits
const dirEnv = "DAEMON_TEST_DIR"

func TestMain(m *testing.M) {
	role := os.Getenv(roleEnv)
	if role == "" {
		os.Exit(m.Run())
	}
	// Nothing outlives its test by more than this, whatever goes wrong.
	time.AfterFunc(time.Minute, func() { os.Exit(99) })
	os.Exit(play(role, os.Args[1:]))
}

func play(role string, args []string) int {
	if role == "sleeper" {
		return sleeper()
	}
	dir := os.Getenv(dirEnv)
	if slices.Equal(args, wsl.RunningArgs()) {
		names, err := os.ReadFile(filepath.Join(dir, "running"))
		if err != nil {
			return 1
		}
		os.Stdout.Write(names)
		return 0
	}
	if slices.Equal(args, wsl.ListArgs()) {
		fmt.Println("D")
		return 0
	}
	words := args[slices.Index(args, "-e")+2:]
	asked, err := os.OpenFile(filepath.Join(dir, "asked"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 1
	}
	fmt.Fprintln(asked, strings.Join(words, " "))
	asked.Close()
	switch words[0] {
	case "serve":
		return serveAgent()
	case "clean":
		_, _ = os.ReadFile(filepath.Join(dir, "clean")) // as a rule there is none
		for _, socket := range words[3:] {
			if err := endpoint.RemoveStale(socket); err != nil {
				return 3
			}
		}
	}
	return 0
}

func serveAgent() int {
	stdio, err := carrier.Stdio()
	if err != nil {
		return 1
	}
	open := func(l bridge.Listen) (net.Listener, bridge.Listening, error) {
		listener, err := endpoint.Listen(l.Socket, endpoint.Access{Mode: 0o600, Uid: os.Geteuid(), Gid: os.Getegid()})
		return listener, bridge.Listening{Mode: "0600", Owner: "root:root", Agent: bridge.Agent{PID: os.Getpid(), Started: 1}}, err
	}
	own := func() (bridge.Agent, error) { return bridge.Agent{PID: os.Getpid(), Started: 1}, nil }
	dial := func(ctx context.Context, socket string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	drives := func() (paths.Drives, error) { return paths.Drives{}, errors.New("list mounts: \x1b[2J") }
	if err := bridge.RunAgent(context.Background(), stdio, bridge.BuildID{1}, bridge.Distro{Open: open, Self: own, Dial: dial, Drives: drives}, slog.New(slog.DiscardHandler)); err != nil {
		return 3
	}
	return 0
}

// self is this program in another role.
func self(t *testing.T, role string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	return cmd
}

// sleeper says when it waits for an answer, which is a line on its stdin, and then whether
// that has arrived.
func sleeper() int {
	answered := make(chan struct{})
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		close(answered)
	}()
	fmt.Println("waiting")
	fmt.Println(arrivesWithin(answered, pingTime))
	return 0
}
