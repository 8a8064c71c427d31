package deploy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/carrier"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

type starter = func(argv []string) (*carrier.Process, error)

// here runs an argument list on this machine; before goes in front of it.
func here(before ...string) starter {
	return func(argv []string) (*carrier.Process, error) {
		argv = append(append([]string(nil), before...), argv...)
		return carrier.Start(carrier.Command{Path: argv[0], Args: argv[1:]})
	}
}

// sh runs a script with the argument list as its "$@".
func sh(script string) starter { return here("/bin/sh", "-c", script, "sh") }

func agentOf(size int) Binary {
	b := bytes.Repeat([]byte("agent\x00\xff\n"), size/8)
	return Binary{
		Arch: runtime.GOARCH, Size: int64(len(b)), Hash: strings.Repeat("ab", 32),
		open: func() (io.Reader, error) { return bytes.NewReader(b), nil },
	}
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestPut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	for _, size := range []int{5 << 20, 8, 5 << 20} { // over an older one, too
		bin := agentOf(size)
		if err := putInDir(deadline(t), here(), bin, dir); err != nil {
			t.Fatal(err)
		}
		checkPut(t, dir, bin)
	}
}

func checkPut(t *testing.T, dir string, bin Binary) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, "agent-abababababababab"))
	if err != nil || !bytes.Equal(got, content(t, bin)) {
		t.Errorf("%d bytes of %d, or others: %v", len(got), bin.Size, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("left in the directory: %v, %v", entries, err)
	}
	for _, path := range []string{dir, filepath.Join(dir, entries[0].Name())} {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v, %v", path, st.Mode(), err)
		}
	}
}

// A distro such as docker-desktop has busybox and nothing else.
func TestPutWithNothingButBusybox(t *testing.T) {
	root := need(t, "busybox")
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"bin", "run", "dev"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "bin/busybox"), b)
	for _, name := range []string{"sh", "mkdir", "chmod", "head", "wc", "rm", "mv", "uname"} {
		if err := os.Symlink("busybox", filepath.Join(root, "bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	start := sh(`exec unshare -m sh -c 'mount --rbind /dev "$0/dev" && exec chroot "$0" env -i PATH=/bin "$@"' ` + root + ` "$@"`)
	if err := os.Symlink("busybox", filepath.Join(root, "bin/env")); err != nil {
		t.Fatal(err)
	}
	bin := agentOf(1 << 20)
	if err := putInDir(deadline(t), start, bin, "/run/x"); err != nil {
		t.Fatal(err)
	}
	checkPut(t, filepath.Join(root, "run/x"), bin)
}

func TestPutSaysWhatIsWrongWithTheFileSystem(t *testing.T) {
	dir := need(t, "unshare")
	for _, tc := range []struct {
		options string
		want    error
	}{
		{"size=64k,mode=755", ErrNoSpace},
		{"ro,mode=755", ErrReadOnly},
		{"noexec,mode=755", ErrNoExec},
	} {
		start := sh(`exec unshare -m sh -c 'mount -t tmpfs -o ` + tc.options + ` none "$0" && exec "$@"' ` + dir + ` "$@"`)
		err := putInDir(deadline(t), start, agentOf(1<<20), dir)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.options, err, tc.want)
		}
		err = putInDir(deadline(t), start, agentOf(1<<20), filepath.Join(dir, "made"))
		if !errors.Is(err, tc.want) {
			t.Errorf("%s, no directory: %v, want %v", tc.options, err, tc.want)
		}
	}
}

func TestPutDoesNotFollowALinkOrTrustAStranger(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	err := putInDir(deadline(t), here(), agentOf(8), filepath.Join(dir, "link"))
	if !errors.Is(err, ErrUnsafe) {
		t.Errorf("a symbolic link: %v", err)
	}
	if os.Geteuid() != 0 {
		return
	}
	theirs := filepath.Join(dir, "theirs")
	os.Mkdir(theirs, 0o755)
	os.Chown(theirs, 1234, 1234)
	if err := putInDir(deadline(t), here(), agentOf(8), theirs); !errors.Is(err, ErrUnsafe) {
		t.Errorf("somebody else's: %v", err)
	}
}

func TestPutClosesADirectoryThatStoodOpen(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	bin := agentOf(8)
	if err := putInDir(deadline(t), here(), bin, dir); err != nil {
		t.Fatal(err)
	}
	checkPut(t, dir, bin)
}

func TestPutNoticesWhatIsMissing(t *testing.T) {
	other := agentOf(8)
	other.Arch = map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	notFound := sh(`printf 'There is none.\r\nError code: Wsl/Service/WSL_E_DISTRO_NOT_FOUND\r\n'; exit 255`)
	for _, tc := range []struct {
		name  string
		start starter
		bin   Binary
		want  error
	}{
		{"half of it", sh(`head -c 1000 | "$@"`), agentOf(1 << 20), ErrCut},
		{"another machine", here(), other, ErrArch},
		{"no such distro", notFound, agentOf(8), wsl.ErrDistroNotFound},
		{"no shell", sh(`echo '<3>WSL (7 - Relay) ERROR: CreateProcessCommon:1: execvpe(/bin/sh) failed: No such file or directory' >&2; exit 1`), agentOf(8), wsl.ErrExec},
		{"no head", sh(`PATH=/nowhere exec "$@"`), agentOf(8), ErrNoTool},
		{"killed", sh(`kill -9 $$`), agentOf(8), wsl.ErrEnded},
		{"no start", func([]string) (*carrier.Process, error) { return nil, fs.ErrNotExist }, agentOf(8), fs.ErrNotExist},
	} {
		dir := t.TempDir()
		err := putInDir(deadline(t), tc.start, tc.bin, dir)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: left behind: %v", tc.name, left)
		}
	}
}

func TestPutReadsPastNoise(t *testing.T) {
	dir := t.TempDir()
	bin := agentOf(8)
	start := sh(`echo 'wsl: a warning on stdout'; echo more >&2; exec "$@"`)
	if err := putInDir(deadline(t), start, bin, dir); err != nil {
		t.Fatal(err)
	}
	checkPut(t, dir, bin)
	err := putInDir(deadline(t), sh(`yes | head -c 1000000; exec "$@"`), bin, dir)
	if err == nil {
		t.Error("a megabyte of noise was read through")
	}
}

func TestPutEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan bool, 1)
	start := func(argv []string) (*carrier.Process, error) {
		started <- true
		return sh(`exec sleep 60`)(argv)
	}
	go func() {
		<-started
		cancel()
	}()
	began := time.Now()
	err := putInDir(ctx, start, agentOf(8), t.TempDir())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	took := time.Since(began)
	t.Logf("a shell that never answers was given up in %v", took)
	if took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// need is a directory for tests that mount; they need root and a program.
func need(t *testing.T, program string) string {
	t.Helper()
	fail := t.Skipf
	if os.Getenv("CI") == "true" {
		fail = t.Fatalf
	}
	if os.Geteuid() != 0 {
		fail("this test needs root")
	}
	if _, err := exec.LookPath(program); err != nil {
		fail("this test needs %s", program)
	}
	return t.TempDir()
}
