package wsl_test

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// The end of standard input is the end of the child's, and no more:
// wsl.exe stays, and so does what the child writes later.
func TestEndOfInputEndsNothingElse(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		inside, post := signpost(t, debian, "")
		p := c.command(t, in(debian, "sh", "-c", "cat; echo end; read x <"+inside+"; echo late; exit 4")...).start(t)
		io.WriteString(p.stdin, "data\n")
		p.stdin.Close()
		for _, want := range []string{"data", "end"} {
			if got := line(t, p.stdout); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		fmt.Fprintln(post, "go")
		if got := line(t, p.stdout); got != "late" {
			t.Errorf("after the end of input: %q", got)
		}
		if r := p.wait(t); r.code != 4 {
			t.Errorf("exit code %d", r.code)
		}
	})
}

// A read of no bytes ends standard input, though more follows. A socket
// that keeps packets apart makes one on Linux; for Windows see the tests of
// cmd/wsl.
func TestEmptyReadEndsInputForEver(t *testing.T) {
	c := clients(t)[0]
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	for _, packet := range []string{"first\n", "", "second\n"} {
		if _, err := unix.Write(pair[0], []byte(packet)); err != nil {
			t.Fatal(err)
		}
	}
	stdin := os.NewFile(uintptr(pair[1]), "stdin")
	defer stdin.Close()
	s := c.command(t, in(debian, "cat")...)
	s.cmd.Stdin = stdin
	if out, err := s.cmd.Output(); string(out) != "first\n" || err != nil {
		t.Errorf("got %q, %v", out, err)
	}
}

// wsl.exe is killed. Its relay leaves, so the child gets the end of its
// input, SIGHUP and SIGCONT (it leads a session whose terminal is gone), and
// EPIPE; it is not killed, and belongs to init from then on.
func TestKilledWslHangsUp(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		inside, post := signpost(t, debian, "")
		script := `exec 3>` + inside + `; trap 'echo HUP >&3' HUP; trap 'echo CONT >&3' CONT; trap '' PIPE
			echo ready; cat >/dev/null; echo EOF >&3; until ! echo more 2>/dev/null; do :; done; echo EPIPE >&3
			until read a b c parent rest </proc/$$/stat && [ $parent = 1 ]; do :; done; echo parent 1 >&3
			until [ -e ` + inside + `-over ]; do :; done`
		p := c.command(t, in(debian, "bash", "-c", script)...).start(t)
		line(t, p.stdout)
		p.cmd.Process.Kill()
		p.cmd.Wait()
		started := time.Now()
		var got []string
		for len(got) < 5 {
			got = append(got, line(t, post))
		}
		t.Logf("all of it within %v", time.Since(started).Round(time.Millisecond))
		slices.Sort(got)
		if want := "CONT EOF EPIPE HUP parent 1"; strings.Join(got, " ") != want {
			t.Errorf("the child noticed %q, want %q", got, want)
		}
		if err := os.WriteFile(shared.vm.Path(debian, inside+"-over"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		until(t, "an empty distro", func() bool { return len(pids(t, debian)) == 0 })
		c.do(t, in(debian, "rm", inside+"-over")...)
	})
}

// Whoever does nothing about SIGHUP dies of it; whoever ignores it lives
// on as an orphan.
func TestWhoIgnoresTheHangUpLivesOn(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		for handling, survives := range map[string]bool{"": false, "trap '' HUP;": true} {
			p := c.command(t, in(debian, "sh", "-c", handling+"echo ready; exec sleep 602")...).start(t)
			line(t, p.stdout)
			pid := process(t, debian, "sleep 602")
			p.cmd.Process.Kill()
			p.cmd.Wait()
			until(t, "the relay's end", func() bool {
				return !slices.ContainsFunc(pids(t, debian), func(p int) bool { return p != pid })
			})
			if survives {
				if !alive(pid) {
					t.Errorf("a child that ignores SIGHUP died")
				}
			} else {
				until(t, "the child's death", func() bool { return !alive(pid) })
			}
			clear(t)
		}
	})
}

// A child that has closed its input while more comes
// makes the relay give up. The exit status is lost: 1.
func TestInputThatIsClosedCostsTheExitCode(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		p := c.command(t, in(debian, "sh", "-c", "exec <&-; echo ready; trap '' HUP; sleep 603; exit 7")...).start(t)
		line(t, p.stdout)
		fmt.Fprintln(p.stdin, "nobody wants this")
		if r := p.wait(t); r.code != 1 {
			t.Errorf("exit code %d", r.code)
		}
		clear(t)
	})
}

// In either order of a pass, output that is there when the relay finds the input
// closed is lost with the session, or comes through like all output. (A freeze
// lets input and output wait for the same pass.)
func TestInputThatIsClosedCostsTheOutputThatWaits(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		for _, test := range []struct {
			drop   bool
			stdout string
			code   uint32
		}{{false, "", 1}, {true, "late\n", 7}} {
			faulty(t, wsl.Faults{DropInput: test.drop})
			inside, post := signpost(t, debian, fmt.Sprint(test.drop))
			script := "exec <&- 3<>" + inside + "; trap '' HUP PIPE; echo ready; read x <&3; echo late; echo written >/run/written; exit 7"
			p := c.command(t, in(debian, "sh", "-c", script)...).start(t)
			line(t, p.stdout)
			thaw := frozen(t, wsl.Launches)
			fmt.Fprintln(post, "go")
			written := shared.vm.Path(debian, "/run/written")
			until(t, "output", func() bool { return os.Remove(written) == nil })
			// More than a pipe holds: when it is taken, the first of it has reached
			// the relay's socket.
			if _, err := p.stdin.Write(noise(64<<10 + 2*4096)); err != nil {
				t.Fatal(err)
			}
			thaw()
			rest, err := io.ReadAll(p.stdout)
			if r := p.wait(t); string(rest) != test.stdout || err != nil || r.code != test.code {
				t.Errorf("input dropped %v: %q, %v, exit code %d", test.drop, rest, err, r.code)
			}
			clear(t)
		}
	})
}

// The tests of the Windows program that need no VM, run as Windows programs.
func TestUnderWine(t *testing.T) {
	lab.Need(t, lab.PartWine, lab.PartRoot, lab.PartBusybox)
	test, err := lab.BuildTest(deadline(t), "windows", "./test/wsl/cmd/wsl")
	if err != nil {
		t.Fatal(err)
	}
	out, err := shared.wine.Command(deadline(t), test, "-test.v").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestEmptyWriteEndsInput") {
		t.Errorf("%v\n%s", err, out)
	}
}
