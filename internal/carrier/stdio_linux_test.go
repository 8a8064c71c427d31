package carrier

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestStdioCarriesEverythingAndNoStrayPrint(t *testing.T) {
	p := start(t, "stdio-cat")
	data := bytes.Repeat([]byte("0123456789"), 300_000)
	go p.Write(data)
	got := make([]byte, len(data))
	if _, err := io.ReadFull(p, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Errorf("came back changed; it starts with %q", got[:20])
	}
}

// Close must free a Read and a Write on whatever the two descriptors are.
func TestStdioCloseUnblocks(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(*testing.T) (in, out *os.File)
	}{
		{"pipes", pipesAsStdio},
		{"socket", socketAsStdio},
		{"terminal", terminalAsStdio},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in, out := tc.make(t)
			if got := runOn(t, "stdio-close", in, out); got != "true true\n" {
				t.Errorf("read and write unblocked: %q", got)
			}
		})
	}
}

func TestStdioWorksOnPlainFiles(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "in")
	if err := os.WriteFile(name, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	runOn(t, "stdio-cat", in, out)
	if got, _ := os.ReadFile(out.Name()); string(got) != "from a file" {
		t.Errorf("copied %q", got)
	}
}

func TestStdioWriteToAGoneReaderIsAnErrorNotADeath(t *testing.T) {
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR.Close()
	inW.Write([]byte("x"))
	defer inW.Close()
	if got := runOn(t, "stdio-epipe", inR, outW); got != "" {
		t.Error(got)
	}
}

func TestCloseDoesNotWaitForWhatLeftTheGroup(t *testing.T) {
	p := start(t, "leave-escaped")
	line := make([]byte, 16)
	n, err := p.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	pid := readPid(t, bufio.NewReader(bytes.NewReader(line[:n])))
	defer unix.Kill(pid, unix.SIGKILL)
	began := time.Now()
	within(t, "done, while the stray holds the pipes", p.Done())
	t.Logf("done %v after the start", time.Since(began))
	began = time.Now()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	t.Logf("closed in %v", took)
	if took > patience/2 { // the stray has a minute
		t.Errorf("close took %v", took)
	}
}

// runOn runs a role on the two files and returns its stderr; a bad end is fatal.
func runOn(t *testing.T, role string, in, out *os.File) string {
	t.Helper()
	defer closeAllFiles([]*os.File{in, out})
	cmd := self(role)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &stderr
	ended := make(chan error, 1)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- cmd.Wait() }()
	if err := within(t, role, ended); err != nil {
		t.Fatalf("%s: %v: %s", role, err, stderr.String())
	}
	return stderr.String()
}

// pipesAsStdio has the far ends open, silent and unread until the test ends.
func pipesAsStdio(t *testing.T) (in, out *os.File) {
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAllFiles([]*os.File{inW, outR}) })
	return inR, outW
}

func socketAsStdio(t *testing.T) (in, out *os.File) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	far := os.NewFile(uintptr(fds[1]), "far")
	t.Cleanup(func() { far.Close() })
	near := os.NewFile(uintptr(fds[0]), "near")
	return near, near
}

func terminalAsStdio(t *testing.T) (in, out *os.File) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal to be had: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(filepath.Join("/dev/pts", strconv.Itoa(n)), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return slave, slave
}
