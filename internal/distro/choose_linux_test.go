package distro

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

// A default distro whose name can't be used is refused by its name: no other takes its place, and WSL has some.
func TestNoOtherDistroIsTheDefaultOne(t *testing.T) {
	const head = "  NAME         STATE           VERSION\r\n"
	for name, c := range map[string]struct {
		table, asked, want string
		err                error
	}{
		"a blank":               {head + "* Ubuntu 22    Running         2\r\n  Ubuntu       Stopped         2\r\n", "", "Ubuntu 22", wsl.ErrName},
		"a blank, another one":  {head + "* Ubuntu 22    Running         2\r\n  Ubuntu       Stopped         2\r\n", "ubuntu", "Ubuntu", nil},
		"a blank, by its name":  {head + "* Ubuntu       Running         2\r\n  Ubuntu 22    Stopped         2\r\n", "Ubuntu 22", "Ubuntu 22", wsl.ErrName},
		"no ASCII":              {head + "* Übuntu       Running         2\r\n", "", "Übuntu", wsl.ErrName},
		"no ASCII, another one": {head + "* Übuntu       Running         2\r\n  Debian       Stopped         2\r\n", "Debian", "Debian", nil},
		"a line that is new":    {head + "* Ubuntu       Running         17\r\n  Debian       Stopped         2\r\n", "", "Ubuntu", wsl.ErrRow},
		"a star alone":          {head + "*\r\n  Debian       Stopped         2\r\n", "", "", wsl.ErrRow},
		"no default one":        {head + "  Ubuntu       Running         2\r\n", "", "", ErrNoDefault},
		"WSL 1":                 {head + "* Ubuntu       Running         1\r\n", "", "Ubuntu", wsl.ErrVersion1},
		"not there":             {head + "* Ubuntu 22    Running         2\r\n", "Ubuntu", "Ubuntu", wsl.ErrDistroNotFound},
	} {
		w := WSL{said: func(_ context.Context, args []string) ([]byte, error) {
			if !slices.Equal(args, wsl.TableArgs()) {
				return nil, errors.New("it was asked for something else")
			}
			return []byte(c.table), nil
		}}
		got, err := w.ChooseDistro(t.Context(), c.asked)
		if got != c.want || !errors.Is(err, c.err) || errors.Is(err, ErrNoDistro) {
			t.Errorf("%s: %q, %v; want %q, %v", name, got, err, c.want, c.err)
		}
	}
}

// stubText is what the stub of a Windows without WSL says before it waits for a key, at stubStream.
const stubText, stubStream = "STUB_TEXT", "STUB_STREAM"

// stubRole has the test binary be such a stub.
const stubRole = "DISTRO_TEST_STUB"

func TestMain(m *testing.M) {
	if os.Getenv(stubRole) == "" {
		os.Exit(m.Run())
	}
	// It does not outlive its test by more than this, whatever goes wrong.
	time.AfterFunc(time.Minute, func() { os.Exit(99) })
	os.Exit(stub())
}

func stub() int {
	out := os.Stdout
	if os.Getenv(stubStream) == "stderr" {
		out = os.Stderr
	}
	fmt.Fprint(out, os.Getenv(stubText))
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 1
}

func stubbed(t *testing.T, text string) WSL {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(stubRole, "1")
	t.Setenv(stubText, text)
	return WSL{path: exe}
}

const notInstalled = "The Windows Subsystem for Linux is not installed. You can install by running 'wsl.exe --install'.\r\n" +
	"For more information please visit https://aka.ms/wslinstall\r\n\r\nPress any key to install Windows Subsystem for Linux.\r\n"

// It took 62 s, and then the deadline was the reason.
func TestAStubThatWaitsForAKey(t *testing.T) {
	for text, want := range map[string]error{
		notInstalled: wsl.ErrNotInstalled,
		"WSL installation appears to be corrupted (Error code: Wsl/CallMsi/Install/REGDB_E_CLASSNOTREG).\r\nPress any key to repair WSL.\r\n": wsl.ErrBroken,
		"Windows Subsystem for Linux must be updated to the latest version to proceed.\r\n":                                                   wsl.ErrMustUpdate,
	} {
		w := stubbed(t, text)
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second) // less than the first of the two lists once took
		defer cancel()
		_, err := w.ChooseDistro(ctx, "")
		if !errors.Is(err, want) || ctx.Err() != nil {
			t.Errorf("%v, %v; want %v", err, ctx.Err(), want)
		}
	}
}

// Every program that is given up has said why, perhaps.
func TestWhatWasSaidBeforeTheDeadlineIsTheReason(t *testing.T) {
	const said = "Bitte eine Taste!"
	w := stubbed(t, said+"\r\n")
	t.Setenv(stubStream, "stderr")
	for name, ask := range map[string]func(context.Context) error{
		"a list":    func(ctx context.Context) error { _, err := w.ListDistros(ctx); return err },
		"a program": func(ctx context.Context) error { _, err := w.AsRoot(ctx, "D", []string{"true"}); return err },
		"an agent": func(ctx context.Context) error {
			start := func(argv []string) (*carrier.Process, error) { return w.Launch("D", argv) }
			return deploy.PutAgent(ctx, start, deploy.Binary{Hash: strings.Repeat("0", 64)})
		},
	} {
		for cause, want := range map[error]error{context.DeadlineExceeded: wsl.ErrWaits, context.Canceled: context.Canceled} {
			ctx, giveUp := context.WithCancelCause(t.Context())
			w.Stderr = func() io.Writer { return heard(func() { giveUp(cause) }) }
			err := ask(ctx)
			var end *wsl.EndError
			if explained := errors.As(err, &end) && end.Said == said; !errors.Is(err, want) || !errors.Is(err, cause) || explained != (cause != context.Canceled) {
				t.Errorf("%s, %v: %v", name, cause, err)
			}
		}
	}
	t.Setenv(stubStream, "")
	w.Stderr = nil
	ctx, giveUp := context.WithCancelCause(t.Context())
	_, err := w.outputReporting(ctx, nil, func([]byte) { giveUp(context.DeadlineExceeded) })
	var end *wsl.EndError
	if !errors.As(err, &end) || !strings.HasPrefix(said, end.Said) || !errors.Is(err, wsl.ErrWaits) {
		t.Errorf("on standard output: %v", err)
	}
}

// heard is a writer that does something when it gets something.
type heard func()

func (h heard) Write(b []byte) (int, error) { h(); return len(b), nil }
