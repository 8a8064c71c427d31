package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// terminal is a docker command at a terminal, driven as a person does.
type terminal struct {
	keys   *os.File
	screen *os.File // what the command has, too
	done   chan error
	asked  int // questions for the size until now

	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // closed and replaced with each piece of text
}

func atTerminal(t *testing.T, rows, cols uint16, cmd *exec.Cmd) *terminal {
	t.Helper()
	keys, screen, err := lab.OpenTerminal()
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{keys: keys, screen: screen, done: make(chan error, 1), more: make(chan struct{})}
	t.Cleanup(func() {
		screen.Close()
		keys.Close()
	})
	term.resize(t, rows, cols)
	cmd.Env = append(cmd.Env, "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = screen, screen, screen
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go term.read()
	go func() { term.done <- cmd.Wait() }()
	return term
}

func (term *terminal) read() {
	b := make([]byte, 4096)
	for {
		n, err := term.keys.Read(b)
		term.mu.Lock()
		term.text.Write(b[:n])
		close(term.more)
		term.more = make(chan struct{})
		term.mu.Unlock()
		if err != nil { // the test closed it
			return
		}
	}
}

func (term *terminal) resize(t *testing.T, rows, cols uint16) {
	t.Helper()
	raw, err := term.keys.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var refused error
	err = raw.Control(func(fd uintptr) {
		refused = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols})
	})
	if err != nil || refused != nil {
		t.Fatal(err, refused)
	}
}

func (term *terminal) typed(t *testing.T, keys string) {
	t.Helper()
	if _, err := term.keys.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// await waits until the screen has shown text, and gives all it has shown.
func (term *terminal) await(ctx context.Context, t *testing.T, text string) string {
	t.Helper()
	const bound = 2 * time.Minute
	limit := time.NewTimer(bound)
	defer limit.Stop()
	for {
		term.mu.Lock()
		shown, more := term.text.String(), term.more
		term.mu.Unlock()
		if strings.Contains(shown, text) {
			return shown
		}
		select {
		case <-more:
		case <-limit.C:
			t.Fatalf("%q was not shown within %v, but %q", text, bound, shown)
		case <-ctx.Done():
			t.Fatalf("%q was not shown: %v", text, ctx.Err())
		}
	}
}

// size asks the container for its terminal's size until it is the one wanted:
// a change is on its way as a request of its own. The docker command looks at the
// size first and listens for changes a moment later; one that falls between is
// lost on every route, so a person would drag once more.
func (term *terminal) size(ctx context.Context, t *testing.T, rows, cols uint16) {
	t.Helper()
	want := fmt.Sprintf("size %d %d\r\n", rows, cols)
	for asked := 1; ; asked++ {
		term.typed(t, "\r")
		shown := term.await(ctx, t, fmt.Sprintf("answer %d\r\n", asked+term.asked))
		if strings.HasSuffix(shown, want+fmt.Sprintf("answer %d\r\n", asked+term.asked)) {
			term.asked += asked
			return
		}
		term.resize(t, rows, cols-1)
		term.resize(t, rows, cols)
	}
}

// A terminal has the person's size, follows it, echoes what is typed and gives
// the shell's exit code.
func TestTerminalAndResize(t *testing.T) {
	t.Parallel()
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	for _, r := range []route{direct, bridged} {
		script := `n=0; echo up; while read code; do [ $code ] && exit $code; n=$((n+1)); echo size $(stty size); echo answer $n; done`
		args := []string{"run", "--rm", "-it", "--network", "none", s.Docker.Image, "sh", "-c", script}
		term := atTerminal(t, 30, 100, r.docker(ctx, s, args...))
		term.await(ctx, t, "up\r\n")
		term.size(ctx, t, 30, 100)
		for _, size := range [][2]uint16{{40, 120}, {24, 80}} {
			term.resize(t, size[0], size[1])
			term.size(ctx, t, size[0], size[1])
		}
		term.typed(t, "5\r")
		if err := <-term.done; err == nil || err.Error() != "exit status 5" {
			t.Errorf("%s: %v", r.name, err)
		}
		term.await(ctx, t, "5\r\n") // the echo of what was typed
	}
}
