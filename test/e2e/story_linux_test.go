package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// TestTheWholeStory is what a person does with the whole product, in a shell of Windows and in one of
// the distro: each file of testdata/story is one part. `windows` is the program under Wine, from the folder of a
// download, `linux` the one of Linux, `distro` runs what follows as the distro's user.
func TestTheWholeStory(t *testing.T) {
	t.Run("windows", func(t *testing.T) {
		ctx, i := onInstalled(t)
		tell(ctx, t, i.ward, "windows")
		i.gone(ctx, t)
	})
	t.Run("linux", func(t *testing.T) {
		ctx, w := openWindowsWard(t)
		tell(ctx, t, w, "linux")
	})
}

// tell plays a story in a ward.
func tell(ctx context.Context, t *testing.T, w *ward, story string) {
	t.Helper()
	download := t.TempDir()
	for _, file := range []string{stage.WindowsExe(), stage.WindowsGUIExe()} {
		if out, err := exec.Command("cp", file, download).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	windows := w.s.Windows(ctx)
	windows.Args[len(windows.Args)-1] = filepath.Join(download, filepath.Base(stage.WindowsExe()))
	testscript.RunT(inTurn{t}, testscript.Params{
		Files: []string{filepath.Join("testdata", "story", story+".txt")},
		Setup: func(e *testscript.Env) error {
			bin := filepath.Join(e.WorkDir, "bin")
			if err := os.Mkdir(bin, 0o755); err != nil {
				return err
			}
			linux := w.s.Linux(ctx)
			for _, of := range []string{"CONFIG", "STATE"} {
				linux.Env = append(linux.Env, "XDG_"+of+"_HOME="+filepath.Join(e.WorkDir, of))
			}
			for name, cmd := range map[string]*exec.Cmd{"windows": windows, "linux": linux, "distro": w.s.Client(ctx)} {
				if err := os.WriteFile(filepath.Join(bin, name), []byte(wrapper(cmd)), 0o755); err != nil {
					return err
				}
			}
			e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("DISTRO", w.distro)
			e.Setenv("PIPE", stage.EnginePipe)
			e.Setenv("ENGINE", "unix:"+w.s.Docker.Socket)
			return nil
		},
	})
}

// inTurn has a story be over when RunT returns.
type inTurn struct{ *testing.T }

func (t inTurn) Parallel()     {}
func (t inTurn) Verbose() bool { return testing.Verbose() }
func (t inTurn) Run(name string, f func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) { f(inTurn{t}) })
}

// wrapper is a shell script that runs a command in its own environment: that of a story has a
// TMPDIR, by which Wine would find another Windows. Its output goes to files first: under Wine what
// a program starts holds its pipes, though it was not given them.
func wrapper(cmd *exec.Cmd) string {
	env := cmd.Env
	if env == nil {
		env = os.Environ()
	}
	var b strings.Builder
	fmt.Fprint(&b, "#!/bin/sh\nt=$(mktemp -d)\ncd /; env -i")
	for _, word := range append(env, cmd.Args...) {
		fmt.Fprint(&b, " ", quoted(word))
	}
	fmt.Fprint(&b, ` "$@" >"$t/out" 2>"$t/err" &
trap "kill $!" INT TERM
wait $!
code=$?
wait
cat "$t/out"; cat "$t/err" >&2; rm -r "$t"; exit $code
`)
	return b.String()
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
