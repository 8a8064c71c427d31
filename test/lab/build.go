package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
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

// A kit is what one call of the go command makes: programs or test programs for one system.
type kit struct {
	goos, verb string
	packages   []string
}

// kits are all that tests run besides themselves and the product. What is missing
// here is built by the first test that asks for it, while others wait.
var kits = []kit{
	{"linux", "build", []string{"./test/wsl/cmd/wsl", "./test/wsl/cmd/vm", "./test/bench/client", "./test/bench/bare"}},
	{"windows", "build", []string{
		"./test/wsl/cmd/wsl", "./test/front", "./test/pipeclient", "./test/administrator", "./test/lab/testdata/program",
		"./test/bench/client", "./test/bench/dialstdio", "./test/bench/plainwsl",
	}},
	{"windows", "test", []string{
		"./cmd/docker-wsl-bridge", "./internal/carrier", "./internal/control", "./internal/endpoint",
		"./internal/files", "./internal/install", "./internal/logs", "./internal/state", "./test/front", "./test/wsl/cmd/wsl",
	}},
}

// BuildAll builds all that tests run, for those that follow to find it.
func BuildAll(ctx context.Context) error {
	if _, err := Product(ctx, "linux"); err != nil { // it puts agents among the others' sources
		return err
	}
	errs := make(chan error, len(kits))
	for _, k := range kits {
		go func() { errs <- k.build(ctx) }()
	}
	var all error
	for range kits {
		all = errors.Join(all, <-errs)
	}
	return all
}

// Product is the directory where make build puts the programs for a system, made anew when they
// are older than their sources.
func Product(ctx context.Context, goos string) (dir string, err error) {
	err = whenStale(ctx, productMark(), productSources(), func() error { return makeProduct(ctx) })
	return filepath.Join(Root(), "build", goos+"-amd64"), err
}

// productMark is the program that is made last.
func productMark() string {
	return filepath.Join(Root(), "build", "windows-amd64", "docker-wsl-bridgew.exe")
}

func makeProduct(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "make", "-s", "build", "TARGETS=windows/amd64 linux/amd64")
	cmd.Dir = Root()
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make build: %w\n%s", err, said)
	}
	return nil
}

// Build gives the path of the program of pkg ("./test/front") for goos, <root>/build/test/<goos>/<last
// element of pkg>, with .exe on Windows. It is there after make programs, and built when it is missing
// or older than its sources. Windows programs are amd64 ones, which is what Wine runs.
func Build(ctx context.Context, goos, pkg string) (string, error) {
	return kit{goos, "build", []string{pkg}}.one(ctx)
}

// BuildTest gives the path of the test program of pkg ("./internal/endpoint") for goos, in the same way.
func BuildTest(ctx context.Context, goos, pkg string) (string, error) {
	return kit{goos, "test", []string{pkg}}.one(ctx)
}

// BuildAt is Build with a copy at a place that the program must have.
func BuildAt(ctx context.Context, goos, pkg, place string) error {
	exe, err := Build(ctx, goos, pkg)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(exe)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(place), 0o755)
	}
	if err == nil {
		err = os.WriteFile(place, b, 0o755)
	}
	if err != nil {
		return fmt.Errorf("put program in place: %w", err)
	}
	return nil
}

// one builds the only program of a kit if need be.
func (k kit) one(ctx context.Context) (string, error) {
	out := k.out(k.packages[0])
	return out, whenStale(ctx, out, k.sources(), func() error {
		fmt.Fprintf(os.Stderr, "building %s\n", out)
		return k.make(ctx)
	})
}

// build builds all programs of a kit that are stale.
func (k kit) build(ctx context.Context) error {
	var stale []string
	for _, pkg := range k.packages {
		if !isBuilt(k.out(pkg), k.sources()) {
			stale = append(stale, pkg)
		}
	}
	if stale == nil {
		return nil
	}
	k.packages = stale
	if err := k.make(ctx); err != nil {
		return err
	}
	for _, pkg := range stale {
		if err := markBuilt(k.out(pkg), k.sources()); err != nil {
			return err
		}
	}
	return nil
}

// make has the go command write beside the places of the programs, and only what differs takes a
// place: go writes into a file that is there, and a test may be running it just then (ETXTBSY, or on
// Wine a program that dies of SIGBUS).
func (k kit) make(ctx context.Context) error {
	dir := filepath.Dir(k.out(k.packages[0]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("build test programs: %w", err)
	}
	fresh, err := os.MkdirTemp(dir, "new-")
	if err != nil {
		return fmt.Errorf("build test programs: %w", err)
	}
	defer os.RemoveAll(fresh)
	args := []string{k.verb, "-trimpath", "-ldflags", "-s -w", "-o", fresh + "/"}
	if k.verb == "test" {
		args = append(args, "-c")
	}
	cmd := exec.CommandContext(ctx, goProgram(), append(args, k.packages...)...)
	cmd.Dir = Root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+k.goos, "GOARCH="+arch(k.goos))
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run go %s for %s: %w\n%s", k.verb, k.goos, err, said)
	}
	for _, pkg := range k.packages {
		if err := settle(filepath.Join(fresh, filepath.Base(k.out(pkg))), k.out(pkg)); err != nil {
			return err
		}
	}
	return nil
}

// out is where the program of a package is.
func (k kit) out(pkg string) string {
	name := path.Base(pkg)
	if k.verb == "test" {
		name += ".test"
	}
	if k.goos == "windows" {
		name += ".exe"
	}
	return filepath.Join(Root(), "build", "test", k.goos, name)
}

func (k kit) sources() string {
	if k.verb == "test" {
		return testSources()
	}
	return programSources()
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
	if err == nil && !bytes.Equal(was, is) {
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

// The sources, as they are when they are first asked for: one run of tests plays with one
// build, whatever is edited meanwhile.
var (
	productSources = sync.OnceValue(func() string { return sources(isProductSource) })
	programSources = sync.OnceValue(func() string { return sources(isProgramSource) })
	testSources    = sync.OnceValue(func() string { return sources(isSource) })
)

func isSource(name string) bool {
	switch filepath.Ext(name) {
	case ".md", ".svg", ".txt", ".yml":
		return false
	}
	return true
}

func isProgramSource(name string) bool {
	return isSource(name) && !strings.HasSuffix(name, "_test.go") && !strings.Contains(name, "testdata/script")
}

// isProductSource leaves out the agents and resources that make puts among the sources.
func isProductSource(name string) bool {
	switch filepath.Ext(name) {
	case ".gz", ".syso":
		return false
	}
	return isProgramSource(name) && !strings.HasPrefix(name, "test/")
}
