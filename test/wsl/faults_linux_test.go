package wsl_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// A fault: the kernel reports an error instead of the end of input
// (microsoft/WSL#40184). The relay gives up: exit code 1, and output may be lost.
// A session whose input stays open is none the worse.
func TestFaultEndOfInputIsAnError(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		faulty(t, wsl.Faults{EIO: true})
		p := c.command(t, in(debian, "sh", "-c", "trap '' HUP; cat; echo ready >/run/eio; exit 5")...).start(t)
		fmt.Fprintln(p.stdin, "data")
		if got := line(t, p.stdout); got != "data" {
			t.Errorf("before the end of input: %q", got)
		}
		p.stdin.Close()
		if r := p.wait(t); r.code != 1 {
			t.Errorf("exit code %d", r.code)
		}
		p = c.command(t, in(debian, "sh", "-c", "read x; echo $x; exit 5")...).start(t)
		fmt.Fprintln(p.stdin, "data")
		if got := line(t, p.stdout); got != "data" {
			t.Errorf("without an end of input: %q", got)
		}
		if r := p.wait(t); r.code != 5 {
			t.Errorf("without an end of input: exit code %d", r.code)
		}
		clear(t)
	})
}

// A fault, the other order of those passes: input that the program has
// closed is dropped, and its output and exit code come through.
func TestFaultUnwantedInputIsDropped(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		faulty(t, wsl.Faults{DropInput: true})
		inside, post := signpost(t, debian, "")
		p := c.command(t, in(debian, "sh", "-c", "exec <&-; echo ready; read x <"+inside+"; echo late; exit 7")...).start(t)
		line(t, p.stdout)
		if _, err := p.stdin.Write(noise(1 << 20)); err != nil {
			t.Errorf("write what nobody wants: %v", err)
		}
		fmt.Fprintln(post, "go")
		if got := line(t, p.stdout); got != "late" {
			t.Errorf("after that: %q", got)
		}
		if r := p.wait(t); r.code != 7 {
			t.Errorf("exit code %d", r.code)
		}
	})
}

// A fault: text before the program's output, in both encodings, on
// standard output and as warnings on standard error.
func TestFaultTextBeforeTheOutput(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		const garbage, warning = "Für ＷＳＬ: noise\r\n", "wsl: Something is not as it should be.\r\n"
		for name, encode := range map[string]func(string) []byte{
			"UTF-8":  func(s string) []byte { return []byte(s) },
			"UTF-16": wsl.UTF16,
		} {
			faulty(t, wsl.Faults{Stdout: encode(garbage), Stderr: encode(warning)})
			r := c.do(t, in(debian, "sh", "-c", "echo out; echo err >&2; exit 3")...)
			if r.stdout != string(encode(garbage))+"out\n" || r.stderr != string(encode(warning))+"err\n" || r.code != 3 {
				t.Errorf("%s: %q, %q, %d", name, r.stdout, r.stderr, r.code)
			}
		}
	})
}

// A fault: the program starts late, or never.
func TestFaultSlowOrNoStart(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		const late = 300 * time.Millisecond
		faulty(t, wsl.Faults{Slow: late})
		started := time.Now()
		r := c.do(t, in(debian, "echo", "here")...)
		if took := time.Since(started); r.stdout != "here\n" || r.code != 0 || took < late {
			t.Errorf("%q, %d, after %v", r.stdout, r.code, took)
		}
		until(t, "an empty distro", func() bool { return len(pids(t, debian)) == 0 })
		faulty(t, wsl.Faults{Silent: true})
		p := c.command(t, in(debian, "sleep", "608")...).start(t)
		nothing(t, p.stdout)
		if len(pids(t, debian)) > 0 {
			t.Error("the program has started")
		}
		p.stdin.Close()
		nothing(t, p.stderr)
		faulty(t, wsl.Faults{})
		if r := c.do(t, in(debian, "echo", "here")...); r.stdout != "here\n" {
			t.Errorf("a launch after that: %q, %d", r.stdout, r.code)
		}
		p.cmd.Process.Kill()
		p.cmd.Wait()
		if rest, err := io.ReadAll(p.stdout); len(rest) > 0 || err != nil {
			t.Errorf("in the end: %q, %v", rest, err)
		}
	})
}

// A fault: standard error is flooded. As long as nobody drains it nothing
// else goes through, and nothing is lost when somebody does.
func TestFaultStderrIsFlooded(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		const flood, stderrSocket = 2 << 20, 5
		faulty(t, wsl.Faults{Flood: flood})
		inside, post := signpost(t, debian, "")
		var relay int
		p := stuck(t, c.command(t, in(debian, "sh", "-c", "read x; echo got $x >"+inside+"; echo out; exit 4")...), func(p pipes) bool {
			relay = process(t, debian, "Relay(")
			return soon(func() bool { return pending(t, p.stderr) > 32<<10 && writes(relay, stderrSocket) })
		})
		still(t, "the relay", func() int64 { return written(relay) })
		fmt.Fprintln(p.stdin, "line")
		nothing(t, post)
		drained := make(chan int64, 1)
		go func() {
			n, _ := io.Copy(io.Discard, p.stderr)
			drained <- n
		}()
		if got := line(t, post); got != "got line" {
			t.Errorf("after draining: %q", got)
		}
		if got := line(t, p.stdout); got != "out" {
			t.Errorf("output: %q", got)
		}
		if r := p.wait(t); r.code != 4 {
			t.Errorf("exit code %d", r.code)
		}
		if n := <-drained; n != flood {
			t.Errorf("%d bytes of %d", n, flood)
		}
	})
}

// A fault: a process that wsl.exe has left holds its standard handles, so
// that its end is not the end of the pipes. It goes with its distro.
func TestFaultLeftOverHoldsTheHandles(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		faulty(t, wsl.Faults{LeftOver: true})
		p := c.command(t, in(busybox, "sh", "-c", "echo here; exit 2")...).start(t)
		if r := p.wait(t); r.code != 2 {
			t.Errorf("exit code %d", r.code)
		}
		if got := line(t, p.stdout); got != "here" {
			t.Errorf("got %q", got)
		}
		nothing(t, p.stdout)
		nothing(t, p.stderr)
		if err := c.vm.Terminate(busybox); err != nil {
			t.Fatal(err)
		}
		for _, f := range []*os.File{p.stdout, p.stderr} {
			if rest, err := io.ReadAll(f); len(rest) > 0 || err != nil {
				t.Errorf("at the end of the distro: %q, %v", rest, err)
			}
		}
		faulty(t, wsl.Faults{})
		boot(t, c)
	})
}

// A fault: bytes come one by one, and all of them.
func TestFaultBytesComeOneByOne(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		faulty(t, wsl.Faults{Chunk: 1})
		sent := noise(20000)
		if r := c.command(t, in(debian, "cat")...).run(t, string(sent)); r.stdout != string(sent) || r.code != 0 {
			t.Errorf("%d of %d bytes, exit code %d", len(r.stdout), len(sent), r.code)
		}
	})
	// A socket that keeps packets apart as standard output shows each write.
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer ours.Close()
	faulty(t, wsl.Faults{Chunk: 1})
	s := clients(t)[0].command(t, in(debian, "echo", "hello")...)
	s.cmd.Stdout = theirs
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	var writes []string
	for b := make([]byte, 100); ; {
		n, err := ours.Read(b)
		if n == 0 || err != nil {
			break
		}
		writes = append(writes, string(b[:n]))
	}
	if err := s.cmd.Wait(); err != nil || strings.Join(writes, "|") != "h|e|l|l|o|\n" {
		t.Errorf("writes %q, %v", writes, err)
	}
}

// Faults hit the launches they are meant for.
func TestFaultsHitTheLaunchesTheyAreFor(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		hit := func(distro string, program ...string) bool {
			t.Helper()
			return bytes.HasPrefix([]byte(c.do(t, in(distro, program...)...).stdout), []byte("hit"))
		}
		faulty(t, wsl.Faults{Distro: "DEBIAN", Program: "bin/ec", Times: 2, Stdout: []byte("hit")})
		for _, test := range []struct {
			distro, program string
			want            bool
		}{
			{busybox, "/bin/echo", false},
			{debian, "/bin/true", false},
			{debian, "/bin/echo", true},
			{debian, "echo", false}, // found by PATH: the path is not in the launch
			{debian, "/bin/echo", true},
			{debian, "/bin/echo", false}, // the third time
		} {
			if got := hit(test.distro, test.program); got != test.want {
				t.Errorf("%s in %s: hit %v, want %v", test.program, test.distro, got, test.want)
			}
		}
	})
}
