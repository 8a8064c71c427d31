package e2e

import (
	"context"
	"crypto/sha256"
	"io"
	"os/exec"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// A slow reader takes a docker command's output byte by byte, one a second,
// until it is told to hurry.
type slowReader struct {
	cmd   *exec.Cmd
	taken chan struct{} // has the first byte's mark
	hurry chan struct{}
	sum   chan [sha256.Size]byte
}

func readSlowly(ctx context.Context, t *testing.T, s *stage.Stage, r route, args ...string) *slowReader {
	t.Helper()
	slow := &slowReader{r.docker(ctx, s, args...), make(chan struct{}, 1), make(chan struct{}), make(chan [sha256.Size]byte, 1)}
	out, err := slow.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := slow.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = slow.cmd.Process.Kill() // as a rule it has ended
		_ = slow.cmd.Wait()
	})
	go slow.read(out)
	return slow
}

func (slow *slowReader) read(out io.Reader) {
	second := time.NewTicker(time.Second) // the time that passes is what is tested
	defer second.Stop()
	sum := sha256.New()
	for n := 0; ; n++ {
		if _, err := io.CopyN(sum, out, 1); err != nil {
			break // it shows in the sum
		}
		if n == 0 {
			slow.taken <- struct{}{}
		}
		select {
		case <-second.C:
			continue
		case <-slow.hurry:
		}
		_, _ = io.Copy(sum, out) // so does this
		break
	}
	slow.sum <- [sha256.Size]byte(sum.Sum(nil))
}

// Nobody waits for a client that reads a byte a second, and the slow one loses
// nothing.
func TestSlowReadersHoldNobodyUp(t *testing.T) {
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	// More than all the buffers on the way take, and a container for each, since
	// the engine locks one while something is copied out of it.
	script := "head -c 8000000 /dev/urandom >/tmp/file; base64 -w 1000 /tmp/file; echo made; sleep 600"
	for _, name := range []string{"copied", "logged"} {
		container(ctx, t, s, name, "sh", "-c", script)
		awaitLog(ctx, t, s, name, "made")
	}
	container(ctx, t, s, "everyday", "sleep", "600")
	commands := [][]string{{"cp", "copied:/tmp/file", "-"}, {"logs", "logged"}}
	alone := everyday(ctx, t, s, bridged)
	var slow []*slowReader
	for _, args := range commands {
		slow = append(slow, readSlowly(ctx, t, s, bridged, args...))
	}
	for _, one := range slow {
		until(ctx, t, "the first byte", func() bool { return len(one.taken) > 0 })
	}
	beside := everyday(ctx, t, s, bridged)
	for i, one := range slow {
		close(one.hurry)
		want := sha256.Sum256([]byte(direct.must(ctx, t, s, commands[i]...)))
		if got := <-one.sum; got != want {
			t.Errorf("the slow %q got other bytes", commands[i])
		}
		if err := one.cmd.Wait(); err != nil {
			t.Errorf("the slow %q: %v", commands[i], err)
		}
	}
	t.Logf("the same work took %v alone, %v beside two that read a byte a second", alone.Round(time.Millisecond), beside.Round(time.Millisecond))
}

// everyday is some work of another client, and how long it took. That it takes
// for ever is the failure.
func everyday(ctx context.Context, t *testing.T, s *stage.Stage, r route) time.Duration {
	t.Helper()
	const bound = 60 * time.Second
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	began := time.Now()
	r.must(ctx, t, s, "version")
	if o := r.run(ctx, t, s, nil, once(s.Docker.Image, nil, "seq 1 1000; exit 4")...); o.code != 4 || len(o.stdout) != 3893 {
		t.Errorf("run: exit code %d, %d bytes", o.code, len(o.stdout))
	}
	const size = 4 << 20
	o := r.run(ctx, t, s, noise(size), "exec", "-i", "everyday", "cat")
	if want, _ := hashOf(t, noise(size)); sha256.Sum256([]byte(o.stdout)) != want {
		t.Errorf("exec: exit code %d, %d bytes of %d, or others", o.code, len(o.stdout), size)
	}
	return time.Since(began)
}
