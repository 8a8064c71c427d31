package wsl_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// faulty sets faults for the launches of a test.
func faulty(t *testing.T, f wsl.Faults) {
	t.Helper()
	if err := shared.vm.SetFaults(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shared.vm.SetFaults(wsl.Faults{}); err != nil {
			t.Error(err)
		}
	})
}

// frozen freezes the VM and thaws it at the end of the test at the latest.
func frozen(t *testing.T, scope wsl.Scope) (thaw func()) {
	t.Helper()
	end, err := shared.vm.Freeze(scope)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = end() })
	return func() {
		t.Helper()
		if err := end(); err != nil {
			t.Fatal(err)
		}
	}
}

// silent is how long a test listens for what must not come. It fails no test
// that is only slow.
const silent = 200 * time.Millisecond

// nothing reads from f, and wants neither a byte nor an end.
func nothing(t *testing.T, f *os.File) {
	t.Helper()
	f.SetReadDeadline(time.Now().Add(silent))
	n, err := f.Read(make([]byte, 100))
	if !os.IsTimeout(err) {
		t.Errorf("read %d bytes, %v, while nothing should come", n, err)
	}
	f.SetReadDeadline(time.Now().Add(limit))
}

// Item 13, faults: a frozen relay. Bytes stop without an end or an error, the
// program goes on, new launches work, and after the thaw all is there.
func TestItem13FreezeLaunches(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		inside, post := signpost(t, debian, "")
		script := `exec 3<>` + inside + `; echo ready; read x; echo input $x; read x <&3; echo late; echo moves >&2; read x <&3; exit 9`
		p := c.command(t, in(debian, "sh", "-c", script)...).start(t)
		line(t, p.stdout)
		thaw := frozen(t, wsl.Launches)
		fmt.Fprintln(p.stdin, "one")
		nothing(t, p.stdout)
		if r := c.do(t, in(debian, "echo", "new")...); r.stdout != "new\n" {
			t.Errorf("a new launch: %q, %d", r.stdout, r.code)
		}
		thaw()
		if got := line(t, p.stdout); got != "input one" {
			t.Errorf("after the thaw: %q", got)
		}
		thaw = frozen(t, wsl.Launches)
		fmt.Fprintln(post, "go")
		fmt.Fprintln(post, "go")
		until(t, "the program's end", func() bool {
			for _, pid := range pids(t, debian) {
				if strings.HasPrefix(wsl.ProcessName(pid), "sh -c") {
					return false
				}
			}
			return true
		})
		nothing(t, p.stdout)
		nothing(t, p.stderr)
		thaw()
		rest, _ := io.ReadAll(p.stdout)
		errs, _ := io.ReadAll(p.stderr)
		if string(rest) != "late\n" || string(errs) != "moves\n" {
			t.Errorf("after the thaw: %q, %q", rest, errs)
		}
		if r := p.wait(t); r.code != 9 {
			t.Errorf("exit code %d", r.code)
		}
	})
}

// Item 13, faults: everything is frozen, as in standby. New launches wait too,
// and all go on after the thaw; nothing is lost of a stream that was under way.
func TestItem13FreezeEverything(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		sent := noise(1 << 20)
		p := c.command(t, in(debian, "cat")...).start(t)
		go func() {
			p.stdin.Write(sent)
			p.stdin.Close()
		}()
		got := make([]byte, 100<<10)
		if _, err := io.ReadFull(p.stdout, got); err != nil {
			t.Fatal(err)
		}
		thaw := frozen(t, wsl.Everything)
		fresh := c.command(t, in(debian, "echo", "new")...).start(t)
		nothing(t, fresh.stdout)
		for { // what the sockets held
			p.stdout.SetReadDeadline(time.Now().Add(silent))
			n, err := p.stdout.Read(got[len(got):cap(got)])
			if err != nil {
				if !os.IsTimeout(err) {
					t.Fatalf("while frozen: %v", err)
				}
				break
			}
			got = got[:len(got)+n]
			got = append(got, make([]byte, 4096)...)[:len(got)]
		}
		if len(got) == len(sent) {
			t.Error("everything came while frozen")
		}
		thaw()
		p.stdout.SetReadDeadline(time.Now().Add(limit))
		rest, err := io.ReadAll(p.stdout)
		if got = append(got, rest...); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d of %d bytes, %v", len(got), len(sent), err)
		}
		if r := p.wait(t); r.code != 0 {
			t.Errorf("exit code %d", r.code)
		}
		if got := line(t, fresh.stdout); got != "new" {
			t.Errorf("the launch that waited: %q", got)
		}
		if r := fresh.wait(t); r.code != 0 {
			t.Errorf("the launch that waited: exit code %d", r.code)
		}
	})
}
