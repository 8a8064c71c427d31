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

// A fault: a frozen relay. Bytes stop without an end or an error, the
// program goes on, new launches work, and after the thaw all is there.
func TestFrozenRelayThaws(t *testing.T) {
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

// A fault: everything is frozen, as in standby. New launches wait too,
// and all go on after the thaw; nothing is lost of a stream that was under way.
func TestStandbyThaws(t *testing.T) {
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
		got = append(got, dry(t, p.stdout)...) // what the sockets held
		if len(got) == len(sent) {
			t.Error("everything came while frozen")
		}
		nothing(t, fresh.stdout)
		if r := c.do(t, "-l", "-q"); r.code != 0 {
			t.Errorf("the service answers during a freeze: %d, %q", r.code, r.stdout)
		}
		thaw()
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

// dry reads until nothing comes any more, and wants no end.
func dry(t *testing.T, f *os.File) []byte {
	t.Helper()
	var got []byte
	for b := make([]byte, 4096); ; {
		f.SetReadDeadline(time.Now().Add(silent))
		n, err := f.Read(b)
		got = append(got, b[:n]...)
		if os.IsTimeout(err) {
			f.SetReadDeadline(time.Now().Add(limit))
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A fault: wsl.exe is killed while its relay is frozen. The program hears
// of it after the thaw, or not at all when its distro is stopped before.
func TestWslKilledWhileFrozen(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		start := func() (pipes, int) {
			p := c.command(t, in(busybox, "sh", "-c", "echo ready; exec sleep 607")...).start(t)
			line(t, p.stdout)
			return p, process(t, busybox, "sleep 607")
		}
		p, pid := start()
		thaw := frozen(t, wsl.Launches)
		p.cmd.Process.Kill()
		p.cmd.Wait()
		if r := c.do(t, in(busybox, "true")...); r.code != 0 || !alive(pid) {
			t.Errorf("while frozen: exit code %d, program alive: %v", r.code, alive(pid))
		}
		thaw()
		until(t, "the program's end", func() bool { return !alive(pid) })

		p, pid = start()
		frozen(t, wsl.Launches)
		if err := c.vm.Terminate(busybox); err != nil {
			t.Fatal(err)
		}
		if r := p.wait(t); r.code != 1 || alive(pid) {
			t.Errorf("terminated: exit code %d, program alive: %v", r.code, alive(pid))
		}
		boot(t, c)
	})
}

// boot starts what a test has stopped: others look into the distros from outside.
func boot(t *testing.T, c client) {
	t.Helper()
	for _, d := range distros {
		if r := c.do(t, in(d.Name, "true")...); r.code != 0 {
			t.Fatalf("start %s: %d, %q, %q", d.Name, r.code, r.stdout, r.stderr)
		}
	}
}

// A fault: a distro is stopped, at once or as systemd does it. At once,
// the program hears nothing and wsl.exe has no exit status: 1. With a SIGTERM
// before, the program's own end may still come through.
func TestTerminatedDistro(t *testing.T) {
	cases := []struct {
		name, trap string
		grace      time.Duration
		code       uint32
	}{
		{"SIGKILL", "trap 'exit 6' TERM", 0, 1},
		{"SIGTERM and an end", "trap 'exit 6' TERM", limit, 6},
		{"SIGTERM and death", ":", limit, 15},
		{"SIGTERM ignored", "trap '' TERM", silent, 1},
	}
	each(t, func(t *testing.T, c client) {
		for _, test := range cases {
			faulty(t, wsl.Faults{Distro: busybox, Grace: test.grace})
			p := c.command(t, in(busybox, "sh", "-c", test.trap+"; echo ready; read x")...).start(t)
			line(t, p.stdout)
			if err := c.vm.Terminate(busybox); err != nil {
				t.Fatal(err)
			}
			if r := p.wait(t); r.code != test.code {
				t.Errorf("%s: exit code %d, want %d", test.name, r.code, test.code)
			}
			if rest, err := io.ReadAll(p.stdout); len(rest) > 0 || err != nil {
				t.Errorf("%s: %q, %v", test.name, rest, err)
			}
		}
		boot(t, c)
	})
}

// A fault: the whole VM is shut down. Every wsl.exe ends with 1, no
// distro runs, the directory they shared is empty; the next launch starts it all
// again.
func TestShutdown(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		for name, shutdown := range map[string]func() result{
			"by hand":    func() result { return c.do(t, "--shutdown") },
			"by force":   func() result { return c.do(t, "--shutdown", "--force") },
			"by a test":  func() result { return result{}.with(c.vm.Shutdown()) },
			"once again": func() result { return c.do(t, "--shutdown") },
		} {
			var sessions []pipes
			for distro, shared := range map[string]string{debian: "/mnt/wsl", busybox: "/mnt/host/wsl"} {
				p := c.command(t, in(distro, "sh", "-c", "echo here >"+shared+"/file; echo ready; read x")...).start(t)
				line(t, p.stdout)
				sessions = append(sessions, p)
			}
			if r := shutdown(); r.code != 0 || r.stdout != "" {
				t.Errorf("%s: %d, %q", name, r.code, r.stdout)
			}
			for _, p := range sessions {
				if r := p.wait(t); r.code != 1 {
					t.Errorf("%s: exit code %d", name, r.code)
				}
			}
			if r := c.do(t, "-l", "--running", "-q"); r.stdout != "" || r.code != 0 {
				t.Errorf("%s: still running: %q, %d", name, r.stdout, r.code)
			}
			boot(t, c)
			if r := c.do(t, in(busybox, "ls", "/mnt/host/wsl")...); r.stdout != "" || r.code != 0 {
				t.Errorf("%s: left in the shared directory: %q, %d", name, r.stdout, r.code)
			}
		}
		if r := c.do(t, "--shutdown", "--frob"); r.code != own || !strings.HasPrefix(r.stdout, "Invalid command line argument: --frob\r\n") {
			t.Errorf("an option it does not know: %d, %q", r.code, r.stdout)
		}
	})
}

// with is the result of what is not a process.
func (r result) with(err error) result {
	if err != nil {
		r.stdout, r.code = err.Error(), own
	}
	return r
}
