package carrier

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// The test binary is its own child: roleEnv says what it plays.
const roleEnv = "CARRIER_TEST_ROLE"

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "press" { // whatever the role: it has our environment
		if PressKeys(os.Args[2], os.Args[3]) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	role := os.Getenv(roleEnv)
	if role == "" {
		os.Exit(m.Run())
	}
	// No child outlives its test by more than this, whatever goes wrong.
	time.AfterFunc(time.Minute, func() { os.Exit(99) })
	os.Exit(play(role))
}

func play(role string) int {
	switch role {
	case "cat":
		io.Copy(os.Stdout, os.Stdin)
	case "hold":
		time.Sleep(time.Hour) // neither reads nor writes; TestMain's minute ends it
	case "until-eof":
		fmt.Println("up")
		io.Copy(io.Discard, os.Stdin)
		return 5
	case "last-words":
		fmt.Print("last words")
		fmt.Fprint(os.Stderr, "and why")
		return 7
	case "flood":
		os.Stderr.Write(bytes.Repeat([]byte("flood "), 10<<20/6))
		fmt.Fprint(os.Stderr, "the end")
		fmt.Print("still here")
		io.Copy(io.Discard, os.Stdin)
	case "goodbye":
		bufio.NewReader(os.Stdin).ReadString('\n')
		os.Stdout.Write(make([]byte, 1<<20))
		return 3
	case "parent":
		p, err := Start(child("hold"))
		if err != nil {
			return 1
		}
		fmt.Println(p.tree.pid)
		<-p.Done()
	case "leave":
		return leave(self("hold"))
	case "polite":
		return polite()
	case "deaf":
		signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)
		fmt.Println("up")
		time.Sleep(time.Hour) // TestMain's minute ends it
	default:
		return playHere(role)
	}
	return 0
}

// polite ends when it is asked to, with its last words.
func polite() int {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, os.Interrupt, syscall.SIGTERM)
	fmt.Println("up")
	fmt.Println("asked:", <-asked)
	return 6
}

// leave starts cmd on our own stdout and stderr, tells its number, and ends before it.
func leave(cmd *exec.Cmd) int {
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 1
	}
	fmt.Println(cmd.Process.Pid)
	return 4
}

// self is this binary in a role, started without the package under test.
func self(role string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	return cmd
}

// child is this binary in a role, as Start takes it.
func child(role string) Command {
	return Command{Path: self(role).Path, Env: []string{roleEnv + "=" + role}}
}

func start(t *testing.T, role string) *Process {
	t.Helper()
	p, err := Start(child(role))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.CloseAfter(0) })
	return p
}

// patience is what nothing here should need; beyond it a test reports a hang.
const patience = 20 * time.Second

// awaitStderr waits for the last of what a process says there, which is read beside all else.
func awaitStderr(t *testing.T, p *Process, last string) {
	t.Helper()
	for end := time.Now().Add(patience); !bytes.HasSuffix(p.Stderr(), []byte(last)); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			kept := p.Stderr()
			t.Fatalf("%d bytes of stderr, ending in %q", len(kept), kept[max(0, len(kept)-20):])
		}
	}
}

func within[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: nothing after %v", what, patience)
		panic("unreachable")
	}
}
