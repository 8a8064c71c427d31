package top

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/picture"
)

// person sits at a terminal at which Run runs.
type person struct {
	keys, screen *os.File
	before       unix.Termios
	leave        context.CancelFunc // as Ctrl-C does
	ended        chan error

	mu   sync.Mutex
	sees *picture.Terminal
}

func sit(t *testing.T, width, height uint16, ask Ask) *person {
	t.Helper()
	keys, screen, err := lab.OpenTerminal()
	if err != nil {
		t.Fatal(err)
	}
	p := &person{keys: keys, screen: screen, ended: make(chan error, 1), sees: picture.NewTerminal(int(width), int(height))}
	t.Cleanup(func() { screen.Close(); keys.Close() })
	p.before = *p.modes(t)
	p.resize(t, width, height)
	go p.sees.Follow(keys, &p.mu)
	if _, err := screen.WriteString("$ top\r\n"); err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, p.leave = context.WithCancel(t.Context())
	go func() { p.ended <- Run(ctx, screen, screen, ask) }()
	return p
}

func (p *person) modes(t *testing.T) *unix.Termios {
	t.Helper()
	modes, err := unix.IoctlGetTermios(int(p.screen.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return modes
}

func (p *person) resize(t *testing.T, width, height uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(p.screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: height, Col: width}); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sees.Resize(int(width), int(height))
}

// look waits until the screen has what is wanted.
func (p *person) look(t *testing.T, what string, has func(*picture.Terminal) bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		p.mu.Lock()
		is, text := has(p.sees), p.sees.Text()
		p.mu.Unlock()
		if is {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: the screen has\n%s", what, text)
		}
	}
}

// left wants the terminal as it was.
func (p *person) left(t *testing.T, want error) {
	t.Helper()
	select {
	case err := <-p.ended:
		if !errors.Is(err, want) {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
	p.look(t, "the screen of before", func(s *picture.Terminal) bool {
		return !s.Alternate && !s.Hidden && s.Text() == "$ top\n"
	})
	if now := *p.modes(t); now != p.before {
		t.Errorf("the modes are %+v, and were %+v", now, p.before)
	}
}

func shown(text string) func(*picture.Terminal) bool {
	return func(s *picture.Terminal) bool { return s.Alternate && s.Hidden && strings.Contains(s.Text(), text) }
}

// asking gives looks in turn, and the last one again and again.
func asking(looks ...Look) Ask {
	var mu sync.Mutex
	return func(context.Context) (Look, error) {
		mu.Lock()
		defer mu.Unlock()
		l := looks[0]
		if len(looks) > 1 {
			looks = looks[1:]
		}
		return l, nil
	}
}

func TestRunIsLeftByAKey(t *testing.T) {
	before, now := busy()
	p := sit(t, 120, 30, asking(before, now))
	want := screenText(seen().screenLines(119, 30))
	p.look(t, "the table", func(s *picture.Terminal) bool { return shown("10 MB/s")(s) && s.Text() == want })
	if _, err := p.keys.WriteString("xq"); err != nil {
		t.Fatal(err)
	}
	p.left(t, nil)
}

func TestRunIsLeftBySignal(t *testing.T) {
	before, _ := busy()
	p := sit(t, 120, 30, asking(before))
	p.look(t, "the table", shown("windows@Debian"))
	p.leave()
	p.left(t, nil)
}

// Keys that would stop the program or end it without a word are but keys, and what is typed is not seen.
func TestRunIsNotLeftByOtherKeys(t *testing.T) {
	before, _ := busy()
	p := sit(t, 120, 30, asking(before))
	p.look(t, "the table", shown("windows@Debian"))
	if lflag := p.modes(t).Lflag; lflag&unix.ISIG == 0 || lflag&(unix.ECHO|unix.ICANON) != 0 {
		t.Errorf("the modes are %x", lflag)
	}
	if cc := p.modes(t).Cc; cc[unix.VSUSP] != 0 || cc[unix.VQUIT] != 0 || cc[unix.VINTR] != 3 {
		t.Errorf("the keys are %v", cc)
	}
	p.leave()
	p.left(t, nil)
}

// A terminal of another size gets a table of that size at once.
func TestRunFollowsTheSize(t *testing.T) {
	before, _ := busy()
	p := sit(t, 120, 30, asking(before))
	p.look(t, "the table", shown("SOCKET"))
	p.resize(t, 60, 14)
	p.look(t, "a small table", func(s *picture.Terminal) bool {
		return shown("and 3 more")(s) && s.Text() == screenText(before.withRatesSince(Look{}).screenLines(59, 14))
	})
	p.leave()
	p.left(t, nil)
}

// What goes wrong while it looks is shown, and passes.
func TestRunShowsErrors(t *testing.T) {
	before, _ := busy()
	first := true
	p := sit(t, 80, 24, func(context.Context) (Look, error) {
		if first {
			first = false
			return Look{}, errors.New("no bridge runs\x1b[2J")
		}
		return before, nil
	})
	p.look(t, "the error", shown("no bridge runs\ufffd[2J"))
	p.look(t, "the table", shown("windows@Debian"))
	p.leave()
	p.left(t, nil)
}

// Whoever looks for ever holds up nobody who wants to leave.
func TestRunIsLeftWhileItLooks(t *testing.T) {
	p := sit(t, 80, 24, func(ctx context.Context) (Look, error) {
		<-ctx.Done()
		return Look{}, ctx.Err()
	})
	p.look(t, "another screen", shown(""))
	if _, err := p.keys.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	p.left(t, nil)
}

func TestRunWantsATerminal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if err := Run(t.Context(), r, w, asking(Look{})); !errors.Is(err, ErrNoTerminal) {
		t.Errorf("%v", err)
	}
}
