// Package distro runs programs in distros through wsl.exe: it lists distros, launches a program in one,
// puts the agent there, removes what agents have left, and looks after docker contexts.
//
// It does not know what a bridge is. Law: only a launch starts a distro; a list never does.
package distro

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

const (
	// listTime bounds wsl.exe --list, which starts no distro.
	listTime = 30 * time.Second
	// quietTime bounds the wait for more once it has said something: it says all of that at once.
	quietTime = 10 * time.Second
	// askedTime bounds it once it has said what comes before it asks for a key, which nobody is there to press.
	askedTime = time.Second
	// maxList bounds what wsl.exe --list may say.
	maxList = 64 << 10
)

var (
	// ErrNoDistro says that WSL has no distro at all.
	ErrNoDistro = errors.New("find distro: WSL has none")
	// ErrNoDefault says that it has some, and that none of them is the default one.
	ErrNoDefault = errors.New("find distro: none is the default one")
)

// WSL starts programs through wsl.exe.
type WSL struct {
	// Stderr makes a writer for what a started program says beside its output,
	// live. It may be nil.
	Stderr func() io.Writer

	path string
	said func(ctx context.Context, args []string) ([]byte, error) // tests: instead of output
}

// FindWSL finds wsl.exe.
func FindWSL() (WSL, error) {
	path, err := wsl.Find(runtime.GOOS, os.Getenv, func(p string) bool {
		info, err := os.Stat(p)
		return err == nil && info.Mode().IsRegular()
	}, exec.LookPath)
	return WSL{path: path}, err
}

// AtPath returns the wsl.exe of this path.
func AtPath(path string) WSL { return WSL{path: path} }

// ScriptedWSL returns a wsl.exe that answers by a function, for tests.
func ScriptedWSL(said func(ctx context.Context, args []string) ([]byte, error)) WSL {
	return WSL{said: said}
}

// startWSL starts wsl.exe in a directory that is there on every machine: it
// translates the one it is started in, and complains if it can't.
func (w WSL) startWSL(args []string) (*carrier.Process, error) {
	c := carrier.Command{Path: w.path, Args: args, Env: wsl.Env(), Dir: filepath.Dir(w.path)}
	if w.Stderr != nil {
		c.Stderr = w.Stderr()
	}
	return carrier.Start(c)
}

// ListDistros are the names of all distros, the default one first.
func (w WSL) ListDistros(ctx context.Context) ([]string, error) {
	return w.listNames(ctx, wsl.ListArgs())
}

// ChooseDistro gives the name of the distro that is meant, which is the default one if
// none is named. The error is ErrNoDistro or ErrNoDefault, or wraps wsl.ErrDistroNotFound,
// wsl.ErrVersion1, wsl.ErrName or wsl.ErrRow. A distro that can't be used is named all the same: no other
// one takes its place.
func (w WSL) ChooseDistro(ctx context.Context, name string) (string, error) {
	said, err := w.askWSL(ctx, wsl.TableArgs())
	distros := wsl.ParseTable(said)
	if err != nil && !mayHaveNone(err) {
		return "", fmt.Errorf("list distros: %w", err)
	}
	if err != nil || len(distros) == 0 {
		// With no distro this is an error in the user's own language.
		names, listErr := w.ListDistros(ctx)
		switch {
		case listErr != nil:
			return "", listErr
		case len(names) == 0:
			return "", ErrNoDistro
		}
		return "", fmt.Errorf("list distros: %w", cmp.Or(err, errNoTable))
	}
	for _, d := range distros {
		switch {
		case name == "" && !d.Default, name != "" && !strings.EqualFold(d.Name, name):
		case d.Err != nil:
			return d.Name, fmt.Errorf("use distro %q: %w", d.Name, d.Err)
		case d.Version == 1:
			return d.Name, fmt.Errorf("use distro %s: %w", d.Name, wsl.ErrVersion1)
		default:
			return d.Name, nil
		}
	}
	if name == "" {
		return "", ErrNoDefault
	}
	return name, fmt.Errorf("use distro %s: %w", name, wsl.ErrDistroNotFound)
}

// mayHaveNone reports whether a failed list may be that of a WSL without a distro.
func mayHaveNone(err error) bool {
	return errors.Is(err, wsl.ErrNoDistro) || errors.Is(err, wsl.ErrEnded)
}

var errNoTable = errors.New("wsl.exe has printed no table of them")

// RunningHosts are the distros of WSL 2 that run, and those of them that take over a socket of all distros, which
// Docker Desktop's own do not; in wsl.exe's order, the default one first. It starts none.
func (w WSL) RunningHosts(ctx context.Context) (running, hosts []string, err error) {
	names, err := w.listNames(ctx, wsl.RunningArgs())
	if err != nil || len(names) == 0 {
		return nil, nil, err
	}
	said, err := w.askWSL(ctx, wsl.TableArgs())
	if err != nil {
		return nil, nil, fmt.Errorf("list distros: %w", err)
	}
	for _, d := range wsl.ParseTable(said) {
		if d.Version != 2 || d.Err != nil || !slices.Contains(names, d.Name) {
			continue
		}
		running = append(running, d.Name)
		if !wsl.OfDockerDesktop(d.Name) {
			hosts = append(hosts, d.Name)
		}
	}
	return running, hosts, nil
}

// has tells whether there is such a distro. It starts none.
func (w WSL) HasDistro(ctx context.Context, distro string) (bool, error) {
	names, err := w.ListDistros(ctx)
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, distro) }), err
}

func (w WSL) listNames(ctx context.Context, args []string) ([]string, error) {
	said, err := w.askWSL(ctx, args)
	if err != nil {
		return nil, fmt.Errorf("list distros: %w", err)
	}
	return wsl.ParseList(said), nil
}

// askWSL has wsl.exe tell something of its own, which starts no distro. What it says is heard at once: the stub of a
// Windows without WSL says so and then waits for a key.
func (w WSL) askWSL(ctx context.Context, args []string) ([]byte, error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	timer := time.AfterFunc(listTime, func() { giveUp(context.DeadlineExceeded) })
	defer timer.Stop()
	return w.outputReporting(ctx, args, func(said []byte) {
		wait := quietTime
		if wsl.AsksForKey(said) {
			wait = askedTime
		}
		timer.Reset(wait)
	})
}

// output is what wsl.exe writes until it ends, in bounds.
func (w WSL) OutputOf(ctx context.Context, args []string) ([]byte, error) {
	return w.outputReporting(ctx, args, func([]byte) {})
}

// outputReporting is output that reports what was written so far. When ctx ends, what was said until then tells the reason.
func (w WSL) outputReporting(ctx context.Context, args []string, heard func(said []byte)) ([]byte, error) {
	if w.said != nil {
		return w.said(ctx, args)
	}
	p, err := w.startWSL(args)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { p.CloseAfter(0) })
	defer stop()
	said, readErr := readAllBounded(io.LimitReader(p, maxList), heard)
	closeErr := p.Close()
	if cause := context.Cause(ctx); cause != nil {
		return nil, wsl.ExplainGivenUp(cause, said, p.Stderr())
	}
	if err := errors.Join(readErr, closeErr); err != nil {
		return nil, err
	}
	return said, wsl.ExplainEnd(said, p.Stderr(), p.ExitCode())
}

func readAllBounded(r io.Reader, heard func(all []byte)) (all []byte, err error) {
	b := make([]byte, 4<<10)
	for {
		n, err := r.Read(b)
		if all = append(all, b[:n]...); n > 0 {
			heard(all)
		}
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// launch starts a program in a distro, as root.
func (w WSL) Launch(distro string, argv []string) (*carrier.Process, error) {
	args, err := wsl.Launch{Distro: distro, User: "root", Cd: "/", Argv: argv}.ArgList()
	if err != nil {
		return nil, err
	}
	return w.startWSL(args)
}
