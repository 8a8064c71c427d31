package wsl_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"
)

// What the child wrote before its end is all there, however much.
func TestOutputBeforeTheEndArrives(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		r := c.do(t, in(debian, "sh", "-c", "head -c 5000000 /dev/zero; head -c 300000 /dev/zero >&2; exit 6")...)
		if len(r.stdout) != 5000000 || len(r.stderr) != 300000 || r.code != 6 {
			t.Errorf("%d and %d bytes, exit code %d", len(r.stdout), len(r.stderr), r.code)
		}
	})
}

// wsl.exe ends with the direct child, not with the end of its output: a
// grandchild that holds the output gets EPIPE from then on, and its relay stays.
// (It has to ignore SIGHUP: the kernel sends one to the terminal's foreground
// group when the leader of the session ends.)
func TestWslEndsThoughAGrandchildHoldsTheOutput(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		inside, post := signpost(t, debian, "")
		script := `exec 3<>` + inside + `; trap '' PIPE HUP
			(read x <&3; until ! echo more 2>/dev/null; do :; done; echo EPIPE >/run/epipe; read x <&3) & echo bye; exit 5`
		p := c.command(t, in(debian, "sh", "-c", script)...).start(t)
		if got := line(t, p.stdout); got != "bye" {
			t.Errorf("got %q", got)
		}
		if r := p.wait(t); r.code != 5 {
			t.Errorf("exit code %d", r.code)
		}
		if rest, err := io.ReadAll(p.stdout); len(rest) != 0 || err != nil {
			t.Errorf("after the end: %q, %v", rest, err)
		}
		process(t, debian, "Relay(") // still there
		fmt.Fprintln(post, "go")
		until(t, "EPIPE", func() bool {
			return c.do(t, in(debian, "cat", "/run/epipe")...).stdout == "EPIPE\n"
		})
		fmt.Fprintln(post, "go")
		until(t, "an empty distro", func() bool { return len(pids(t, debian)) == 0 })
		c.do(t, in(debian, "rm", "/run/epipe")...)
	})
}

// wsl.exe does not end while its parent does not take the output, even
// when the child is long gone.
func TestWslWaitsForItsOutputToBeTaken(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		for _, name := range []string{"stdout", "stderr"} {
			inside, post := signpost(t, debian, name)
			script := `exec 3>` + inside + `; [ $0 = stdout ] || exec 1>&2; head -c 100000 /dev/zero; echo written >&3; exit 8`
			p := c.command(t, in(debian, "sh", "-c", script, name)...).start(t)
			line(t, post)
			until(t, "the child's end", func() bool { return len(pids(t, debian)) == 0 })
			ended := make(chan error, 1)
			go func() { ended <- p.cmd.Wait() }()
			select {
			case err := <-ended:
				t.Errorf("%s: wsl.exe ended with 100,000 bytes unread (%v)", name, err)
			case <-time.After(300 * time.Millisecond):
			}
			from := p.stdout
			if name == "stderr" {
				from = p.stderr
			}
			got, err := io.ReadAll(from)
			if err != nil || !bytes.Equal(got, make([]byte, 100000)) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			if r := p.result(t, <-ended); r.code != 8 {
				t.Errorf("%s: exit code %d", name, r.code)
			}
		}
	})
}

// The parent closes its end of the output. Nobody tells the child: it
// works on, its next write even succeeds, a later one fails, and wsl.exe stays
// until the child ends and then has its exit code.
func TestClosedOutputIsNoticedAtTheNextWrites(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		inside, post := signpost(t, debian, "")
		script := `exec 3>` + inside + `; trap '' PIPE; echo ready; read x; echo read $x >&3
			echo one 2>/dev/null && echo written >&3; until ! echo more 2>/dev/null; do :; done; echo EPIPE >&3; read x; echo read $x >&3; exit 9`
		p := c.command(t, in(debian, "sh", "-c", script)...).start(t)
		line(t, p.stdout)
		p.stdout.Close()
		fmt.Fprintln(p.stdin, "first")
		for _, want := range []string{"read first", "written", "EPIPE"} {
			if got := line(t, post); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		fmt.Fprintln(p.stdin, "second")
		if got := line(t, post); got != "read second" {
			t.Errorf("input after closed output: %q", got)
		}
		if r := p.wait(t); r.code != 9 {
			t.Errorf("exit code %d", r.code)
		}
	})
}
