package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// Root is the repository's root directory: the one with go.mod, at or above
// the working directory (go test sets it to the package's directory).
func Root() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "."
		}
		dir = up
	}
}

// Build builds the program in pkg ("./test/front") for goos and returns its
// path, <root>/build/test/<goos>/<last element of pkg>, with .exe on Windows.
func Build(ctx context.Context, goos, pkg string, flags ...string) (string, error) {
	out := filepath.Join(Root(), "build", "test", goos, path.Base(pkg)+suffix(goos))
	return out, GoBuild(ctx, goos, out, pkg, flags...)
}

// BuildTest builds the test program of pkg ("./internal/endpoint") for goos
// and returns its path.
func BuildTest(ctx context.Context, goos, pkg string) (string, error) {
	name := strings.ReplaceAll(strings.Trim(pkg, "./"), "/", "_")
	out := filepath.Join(Root(), "build", "test", goos, name+".test"+suffix(goos))
	return out, goTool(ctx, goos, out, "test", "-c", pkg)
}

// GoBuild builds the program in pkg, a path from the repository's root, for
// goos into out. Windows programs are amd64 ones, which is what Wine runs.
func GoBuild(ctx context.Context, goos, out, pkg string, flags ...string) error {
	return goTool(ctx, goos, out, "build", append(flags, pkg)...)
}

func suffix(goos string) string {
	if goos == "windows" {
		return ".exe"
	}
	return ""
}

// goTool has the go command make out, one at a time on the whole machine:
// several packages' tests ask for the same program at once. go writes into a
// file that is there, even when nothing has changed, and another test may be
// running it just then (ETXTBSY, or on Wine a program that dies of SIGBUS). So
// it writes beside it, and only what differs takes the place.
func goTool(ctx context.Context, goos, out, verb string, args ...string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("build %s: %w", out, err)
	}
	unlock, err := lock(ctx, filepath.Join(Root(), "build", "go.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	fresh := out + ".new" + suffix(goos)
	args = append([]string{verb, "-o", fresh}, args...)
	cmd := exec.CommandContext(ctx, goProgram(), args...)
	cmd.Dir = Root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+arch(goos))
	if said, err := cmd.CombinedOutput(); err != nil {
		_ = os.Remove(fresh)
		return fmt.Errorf("run go %s: %w\n%s", strings.Join(args, " "), err, said)
	}
	return settle(fresh, out)
}

// Make runs make, one at a time on the whole machine: what one puts in place another one builds from.
func Make(ctx context.Context, args ...string) error {
	unlock, err := lock(ctx, filepath.Join(Root(), "build", "make.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	cmd := exec.CommandContext(ctx, "make", append([]string{"-s"}, args...)...)
	cmd.Dir = Root()
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make %s: %w\n%s", strings.Join(args, " "), err, said)
	}
	return nil
}

func arch(goos string) string {
	if goos == "windows" {
		return "amd64"
	}
	return runtime.GOARCH
}

// settle puts fresh in out's place unless the two are the same.
func settle(fresh, out string) error {
	was, _ := os.ReadFile(out) // there may be none
	is, err := os.ReadFile(fresh)
	switch {
	case err != nil:
	case bytes.Equal(was, is):
		err = os.Remove(fresh)
	default:
		err = os.Rename(fresh, out)
	}
	if err != nil {
		return fmt.Errorf("put program in place: %w", err)
	}
	return nil
}

// goProgram is the go command, which after a plain su may not be in root's
// PATH: then it is where the official archive puts it.
func goProgram() string {
	if found, err := exec.LookPath("go"); err == nil {
		return found
	}
	return "/usr/local/go/bin/go"
}
