package wsl_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// noise is n bytes that show every change: NUL, 0x1a, CR LF and all others.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// Two relays in a row carry any byte both ways.
func TestRelaysCarryAnyByte(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		sent := noise(3 << 20)
		r := c.command(t, in(debian, "cat")...).run(t, string(sent))
		if r.stdout != string(sent) || r.code != 0 {
			t.Errorf("sent %d bytes, got %d with sum %x, exit code %d", len(sent), len(r.stdout), sha256.Sum256([]byte(r.stdout)), r.code)
		}
		r = c.command(t, in(debian, "sh", "-c", "cat >&2")...).run(t, string(sent))
		if r.stderr != string(sent) {
			t.Errorf("standard error: sent %d bytes, got %d", len(sent), len(r.stderr))
		}
	})
}

// No hop is wider than 4096 bytes. A socket that keeps packets apart as
// standard output shows each write.
func TestNoHopIsWiderThan4096Bytes(t *testing.T) {
	c := clients(t)[0]
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer ours.Close()
	s := c.command(t, in(debian, "head", "-c", "100000", "/dev/zero")...)
	s.cmd.Stdout = theirs
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	total, widest := 0, 0
	for b := make([]byte, 1<<20); ; {
		n, err := ours.Read(b)
		if n == 0 || err != nil {
			break
		}
		total, widest = total+n, max(widest, n)
	}
	if err := s.cmd.Wait(); err != nil || total != 100000 || widest != 4096 {
		t.Errorf("%d bytes in writes of up to %d (%v)", total, widest, err)
	}
}

// Input that the child does not take fills its pipe of 64 KiB; the rest
// is pending in the relay and goes on at the next tick of 100 ms when nothing
// else wakes the relay. (Output of the child would, so this one has none.)
func TestInputThatIsNotTakenWaitsForATick(t *testing.T) {
	const full, more, rounds, most = 64 << 10, 2000, 4, 20
	each(t, func(t *testing.T, c client) {
		start, starting := signpost(t, debian, "start")
		done, finished := signpost(t, debian, "done")
		script := fmt.Sprintf(`exec 4<&0 3<>%s; echo ready; while read x <&3; do head -c %d >/run/tick; echo done >%s; done`, start, full+more, done)
		p := c.command(t, in(debian, "sh", "-c", script)...).start(t)
		line(t, p.stdout)
		reader := process(t, debian, "sh -c exec 4<")
		sent := noise(full + more)
		const half = 50 * time.Millisecond // of a tick
		var longest time.Duration          // a busy machine may tell the child late, so one round has to do
		for round := 0; round < rounds || round < most && longest < half; round++ {
			if _, err := p.stdin.Write(sent); err != nil {
				t.Fatal(err)
			}
			until(t, "a full pipe", func() bool { return unread(t, reader, 4) >= full-4096 })
			started := time.Now()
			fmt.Fprintln(starting, "go")
			line(t, finished)
			took := time.Since(started)
			if got, err := os.ReadFile(shared.vm.Path(debian, "/run/tick")); err != nil || !bytes.Equal(got, sent) {
				t.Fatalf("input came changed (%v)", err)
			}
			t.Logf("the last %d bytes came %v after the child went on", more, took.Round(time.Millisecond))
			longest = max(longest, took)
		}
		if longest < half {
			t.Errorf("they never waited for the tick")
		}
	})
}

// With still more input waiting, poll returns at once and the relay spins
// on the pending part; without, it sleeps from tick to tick.
func TestMoreInputMakesTheRelaySpin(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		inside, post := signpost(t, debian, "")
		p := c.command(t, in(debian, "sh", "-c", "exec 4<&0; echo ready; read x <"+inside+"; exec wc -c")...).start(t)
		line(t, p.stdout)
		relay, reader := process(t, debian, "Relay("), process(t, debian, "sh -c exec 4<")
		const more = 68000
		sent := make(chan error, 1)
		p.stdin.Write(noise(more))
		until(t, "a full pipe", func() bool { return unread(t, reader, 4) >= 64<<10-4096 })
		idle := cpu(relay)
		still(t, "the relay", func() int64 { return int64(unread(t, reader, 4)) })
		if used := cpu(relay) - idle; used > 50*time.Millisecond {
			t.Errorf("with one pending write the relay used %v", used)
		}
		go func() {
			_, err := p.stdin.Write(noise(200 << 10))
			p.stdin.Close()
			sent <- err
		}()
		before, started := cpu(relay), time.Now()
		until(t, "a spinning relay", func() bool { return cpu(relay)-before >= 100*time.Millisecond })
		t.Logf("100 ms of processor time in %v", time.Since(started).Round(time.Millisecond))
		fmt.Fprintln(post, "go")
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		if got := line(t, p.stdout); got != fmt.Sprint(more+200<<10) {
			t.Errorf("the child got %s bytes", got)
		}
		p.wait(t)
	})
}

// The relay writes output with blocking writes in its only thread. While
// nobody drains one output, neither input nor the other output goes on.
func TestOutputThatNobodyDrainsStopsInput(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		for _, stuffed := range []string{"stdout", "stderr"} {
			t.Run(stuffed, func(t *testing.T) {
				inside, post := signpost(t, debian, "")
				script := `exec 3<>` + inside + `; if [ $0 = stderr ]; then exec 4>&2; else exec 4>&1; fi
					head -c 2000000 /dev/zero >&4 & while read x; do echo got $x >&3; echo other >&5; done; wait`
				if stuffed == "stdout" {
					script = strings.Replace(script, ">&5", ">&2", 1)
				} else {
					script = strings.Replace(script, ">&5", "", 1)
				}
				socket := map[string]int{"stdout": 4, "stderr": 5}[stuffed]
				p := stuck(t, c.command(t, in(debian, "sh", "-c", script, stuffed)...), func(p pipes) bool {
					relay := process(t, debian, "Relay(")
					return soon(func() bool { return pending(t, p.output(stuffed)) >= 60<<10 && writes(relay, socket) })
				})
				writer := process(t, debian, "head -c 2000000")
				from, other := p.stdout, p.stderr
				if stuffed == "stderr" {
					from, other = p.stderr, p.stdout
				}
				relay, passed := process(t, debian, "Relay("), 0
				for {
					still(t, "the output", func() int64 { return written(writer) })
					before := written(relay)
					io.WriteString(p.stdin, "line\n")
					post.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
					if _, err := io.ReadFull(post, make([]byte, len("got line\n"))); err != nil {
						break
					}
					// The kernel takes a little more now and then, at ever longer intervals (the probes of
					// a TCP connection whose window is small): then the relay's write has come to its end.
					if n := written(relay) - before; n <= int64(len("line\nother\n")) {
						t.Fatalf("input went through while %s stood still (%d bytes)", stuffed, n)
					}
					if passed++; passed > 20 {
						t.Fatalf("%s never stood still", stuffed)
					}
				}
				post.SetReadDeadline(time.Now().Add(limit))
				drained := make(chan int64, 1)
				go func() {
					n, _ := io.Copy(io.Discard, from)
					drained <- n
				}()
				if got := line(t, post); got != "got line" {
					t.Errorf("after draining: %q", got)
				}
				for range 1 + passed {
					if got := line(t, other); got != "other" {
						t.Errorf("the other output: %q", got)
					}
				}
				p.stdin.Close()
				p.wait(t)
				if n := <-drained; n != 2000000 {
					t.Errorf("%d bytes of output", n)
				}
			})
		}
	})
}
