package carrier

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestBytesPassBothWaysUnchanged(t *testing.T) {
	p := start(t, "cat")
	const size = 8 << 20
	var src rand.PCG
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(src.Uint64())
	}
	sent := make(chan error, 1)
	go func() {
		rest := data
		for n := 1; len(rest) > 0; n = n*3%70_001 + 1 {
			n = min(n, len(rest))
			if _, err := p.Write(rest[:n]); err != nil {
				sent <- err
				return
			}
			rest = rest[n:]
		}
		sent <- nil
	}()
	got := make([]byte, size)
	began := time.Now()
	if _, err := io.ReadFull(p, got); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MiB there and back in %v", size>>20, time.Since(began))
	if err := within(t, "write", sent); err != nil {
		t.Fatal(err)
	}
	if sha256.Sum256(got) != sha256.Sum256(data) {
		t.Fatal("what came back is not what was sent")
	}
}

func TestAnEmptyWriteIsNotAnEndOfStdin(t *testing.T) {
	p := start(t, "cat")
	for _, s := range []string{"a", "", "b"} {
		if _, err := p.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]byte, 2)
	if _, err := io.ReadFull(p, got); err != nil || string(got) != "ab" {
		t.Fatalf("read %q, %v", got, err)
	}
}

func TestOutputOutlivesTheProcess(t *testing.T) {
	began := time.Now()
	p := start(t, "last-words")
	within(t, "end of process", p.Done())
	waited := time.Since(began) < lastWords // for all of stderr
	if p.ExitCode() != 7 {
		t.Errorf("exit code %d", p.ExitCode())
	}
	if got := string(p.Stderr()); waited && got != "and why" {
		t.Errorf("stderr %q", got)
	}
	awaitStderr(t, p, "and why")
	out, err := io.ReadAll(p)
	if string(out) != "last words" || err != nil {
		t.Errorf("stdout %q, %v", out, err)
	}
}

func TestCloseUnblocksReadAndWriteOfADeafChild(t *testing.T) {
	for range 10 {
		p := start(t, "hold")
		read, write, writing := make(chan error, 1), make(chan error, 1), make(chan bool)
		go func() { _, err := p.Read(make([]byte, 1)); read <- err }()
		go func() {
			p.Write([]byte("x"))
			close(writing)
			_, err := p.Write(make([]byte, 4<<20)) // more than a pipe holds
			write <- err
		}()
		within(t, "first write", writing)
		closed := make(chan error, 1)
		go func() { closed <- p.CloseAfter(2 * patience) }()
		if err := within(t, "read", read); !errors.Is(err, os.ErrClosed) {
			t.Errorf("read: %v", err)
		}
		if err := within(t, "write", write); !errors.Is(err, os.ErrClosed) {
			t.Errorf("write: %v", err)
		}
		p.tree.killTree() // the point is made: no need to wait for the ladder
		if err := within(t, "close", closed); err != nil {
			t.Error(err)
		}
	}
}

func TestCloseIsBoundedAndLeavesNoProcess(t *testing.T) {
	p := start(t, "hold")
	began := time.Now()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	t.Logf("a child that ignores the end of its stdin was closed in %v", took)
	if took > closeGrace+stdinGrace+killGrace+lastWords+time.Second {
		t.Errorf("close took %v", took)
	}
	within(t, "done", p.Done())
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	if _, err := p.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestCloseDrainsAChildOnItsWayOut(t *testing.T) {
	p := start(t, "goodbye")
	if _, err := p.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
	// The child still has 1 MiB to say. Unread, it would never end.
	if err := p.CloseAfter(patience); err != nil {
		t.Fatal(err)
	}
	if p.ExitCode() != 3 {
		t.Errorf("exit code %d: it was killed, not waited for", p.ExitCode())
	}
}

func TestCloseEndsAChildThatWaitsForEOF(t *testing.T) {
	p := start(t, "until-eof")
	if _, err := io.ReadFull(p, make([]byte, len("up\n"))); err != nil {
		t.Fatal(err)
	}
	if err := p.CloseAfter(0); err != nil {
		t.Fatal(err)
	}
	if p.ExitCode() != 5 {
		t.Errorf("exit code %d: it was killed before it saw the end of its stdin", p.ExitCode())
	}
}

func TestCloseWriteEndsStdinAndKeepsStdout(t *testing.T) {
	p := start(t, "cat")
	data := bytes.Repeat([]byte("unread "), 9_000) // close to what a pipe holds
	if _, err := p.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := p.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("write after the end: %v", err)
	}
	if got, err := io.ReadAll(p); !bytes.Equal(got, data) || err != nil {
		t.Errorf("read %d bytes of %d, %v", len(got), len(data), err)
	}
	within(t, "end of process", p.Done())
	if p.ExitCode() != 0 {
		t.Errorf("exit code %d", p.ExitCode())
	}
}

func TestCloseWriteUnblocksAWrite(t *testing.T) {
	p := start(t, "hold")
	write, writing := make(chan error, 1), make(chan bool)
	go func() {
		p.Write([]byte("x"))
		close(writing)
		_, err := p.Write(make([]byte, 4<<20)) // more than a pipe holds
		write <- err
	}()
	within(t, "first write", writing)
	p.CloseWrite()
	if err := within(t, "write", write); !errors.Is(err, os.ErrClosed) {
		t.Errorf("write: %v", err)
	}
}

func TestDeadlines(t *testing.T) {
	p := start(t, "hold")
	if err := errors.Join(p.SetReadDeadline(time.Now().Add(20*time.Millisecond)), p.SetWriteDeadline(time.Now().Add(20*time.Millisecond))); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	if _, err := p.Write(make([]byte, 4<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: %v", err)
	}
	// One that is set after Close must not keep a reader.
	p.CloseAfter(0)
	if err := p.SetReadDeadline(time.Time{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("set after close: %v", err)
	}
}

func TestStderrFloodBlocksNothing(t *testing.T) {
	p := start(t, "flood")
	got := make([]byte, len("still here"))
	if _, err := io.ReadFull(p, got); err != nil || string(got) != "still here" {
		t.Fatalf("read %q, %v", got, err)
	}
	awaitStderr(t, p, "flood the end")
	if err := p.CloseAfter(0); err != nil {
		t.Fatal(err)
	}
	kept := p.Stderr()
	if len(kept) != keptStderr || !bytes.HasSuffix(kept, []byte("flood the end")) {
		t.Errorf("kept %d bytes of stderr, ending in %q", len(kept), kept[max(0, len(kept)-20):])
	}
}

func TestAProcessLeftBehindGoesWithItsLeader(t *testing.T) {
	p := start(t, "leave")
	out := bufio.NewReader(p)
	pid := readPid(t, out)
	within(t, "done", p.Done())
	if p.ExitCode() != 4 {
		t.Errorf("exit code %d", p.ExitCode())
	}
	waitGone(t, pid)
	// It held our pipe: only its end ends the stream.
	if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 {
		t.Errorf("then read %q, %v", rest, err)
	}
}

func TestChildGoesWhenItsParentIsKilled(t *testing.T) {
	parent := self("parent")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	pid := readPid(t, bufio.NewReader(out))
	parent.Process.Kill()
	parent.Wait()
	waitGone(t, pid)
}

func TestStartSaysWhatIsMissing(t *testing.T) {
	_, err := Start(Command{Path: "no-such-program-anywhere"})
	if !errors.Is(err, exec.ErrNotFound) || !strings.HasPrefix(err.Error(), "start no-such-program-anywhere: ") {
		t.Errorf("error %v", err)
	}
}

func TestRingKeepsTheLastBytes(t *testing.T) {
	for _, tc := range []struct {
		writes []string
		want   string
	}{
		{nil, ""},
		{[]string{"ab"}, "ab"},
		{[]string{"abcd"}, "abcd"},
		{[]string{"abc", "de"}, "bcde"},
		{[]string{"abc", "d", "e"}, "bcde"},
		{[]string{"abcdefghij"}, "ghij"},
		{[]string{"ab", "cdefghij", "k"}, "hijk"},
	} {
		r := newRing(4)
		for _, w := range tc.writes {
			r.Write([]byte(w))
		}
		if got := string(r.lastBytes()); got != tc.want {
			t.Errorf("%q: kept %q, want %q", tc.writes, got, tc.want)
		}
	}
}

func readPid(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
