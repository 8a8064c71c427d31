package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// noise is a reproducible stream of n bytes that no buffer or compressor
// makes easier.
func noise(n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{1}), n)
}

// bulk is the size of a large transfer.
func bulk() int64 {
	if long() {
		return 200 << 20
	}
	return 8 << 20
}

func hashOf(t *testing.T, r io.Reader) (sum [sha256.Size]byte, n int64) {
	t.Helper()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		t.Fatal(err)
	}
	h.Sum(sum[:0])
	return sum, n
}

// `exec -i` carries 8 MB each way at once (200 MB in the long form), to the byte.
func TestExecBulkBothWays(t *testing.T) {
	t.Parallel()
	onBothByWindows(t, execBothWays(bulk()))
}

func execBothWays(size int64) play {
	return func(ctx context.Context, t *testing.T, s *stage.Stage, ways ...route) {
		name := named("bulk", ways)
		container(ctx, t, s, name, "sleep", "600")
		want, _ := hashOf(t, noise(size))
		for _, r := range ways {
			began := time.Now()
			cmd := r.docker(ctx, s, "exec", "-i", name, "cat")
			cmd.Stdin = noise(size)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			got, n := hashOf(t, out)
			if err := cmd.Wait(); err != nil || got != want {
				t.Errorf("%s: %d bytes of %d, or others; %v", r.name, n, size, err)
			}
			t.Logf("%s: %d MiB each way in %v", r.name, size>>20, time.Since(began).Round(time.Millisecond))
		}
	}
}

// `cp` of 8 MB into a container and out of it (200 MB in the long form).
func TestCopyBothWays(t *testing.T) {
	t.Parallel()
	onBoth(t, copyBothWays(bulk()))
}

func copyBothWays(size int64) play {
	return func(ctx context.Context, t *testing.T, s *stage.Stage, ways ...route) {
		place := named("copy", ways)
		container(ctx, t, s, place, "sleep", "600")
		want, _ := hashOf(t, noise(size))
		for _, r := range ways {
			in := r.docker(ctx, s, "cp", "-", place+":/tmp")
			in.Stdin = archive(t, r.name, size)
			if out, err := in.CombinedOutput(); err != nil {
				t.Fatalf("%s: cp in: %v: %s", r.name, err, out)
			}
		}
		for _, r := range ways {
			for _, by := range ways {
				r.copyOut(ctx, t, s, place, by.name, want)
			}
		}
	}
}

// copyOut wants a file that archive has made, with these contents.
func (r route) copyOut(ctx context.Context, t *testing.T, s *stage.Stage, place, name string, want [sha256.Size]byte) {
	t.Helper()
	out := r.docker(ctx, s, "cp", place+":/tmp/"+name, "-")
	stdout, err := out.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Start(); err != nil {
		t.Fatal(err)
	}
	entries := tar.NewReader(stdout)
	h, err := entries.Next()
	if err != nil {
		t.Fatalf("%s: cp out: %v", r.name, err)
	}
	got, n := hashOf(t, entries)
	if got != want || h.Name != name || h.Mode&0o777 != 0o640 {
		t.Errorf("%s: what was put in by %s comes out as %s, mode %o, %d bytes or others", r.name, name, h.Name, h.Mode, n)
	}
	if _, err := io.Copy(io.Discard, stdout); err != nil {
		t.Error(err)
	}
	if err := out.Wait(); err != nil {
		t.Errorf("%s: cp out: %v", r.name, err)
	}
}

// archive is a tar stream with one file.
func archive(t *testing.T, name string, size int64) io.Reader {
	r, w := io.Pipe()
	t.Cleanup(func() { r.Close() })
	go func() {
		a := tar.NewWriter(w)
		err := a.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o640, Size: size})
		if err == nil {
			_, err = io.Copy(a, noise(size))
		}
		if err == nil {
			err = a.Close()
		}
		w.CloseWithError(err)
	}()
	return r
}

// A client that dies in mid-download must not leave its connection open at the
// engine: dockerd would keep the container locked, and this cp hang.
func TestClientKilledInMidDownload(t *testing.T) {
	t.Parallel()
	onBoth(t, killedInMidDownload(atOnce))
}

// killedInMidDownload wants the next cp to have ended within a bound.
func killedInMidDownload(limit time.Duration) play {
	return func(ctx context.Context, t *testing.T, s *stage.Stage, ways ...route) {
		name := named("download", ways)
		container(ctx, t, s, name, "sh", "-c", "truncate -s 100000000 /tmp/big; echo made; sleep 600")
		awaitLog(ctx, t, s, name, "made")
		for _, r := range ways {
			r.killInMidDownload(ctx, t, s, name, limit)
		}
	}
}

func (r route) killInMidDownload(ctx context.Context, t *testing.T, s *stage.Stage, name string, limit time.Duration) {
	t.Helper()
	cmd := r.docker(ctx, s, "cp", name+":/tmp/big", "-")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	_ = cmd.Wait() // it was killed
	again := r.docker(ctx, s, "cp", name+":/bin/busybox", "-")
	var got bytes.Buffer
	again.Stdout = &got
	done := make(chan error, 1)
	go func() { done <- again.Run() }()
	select {
	case err := <-done:
		if err != nil || got.Len() == 0 {
			t.Errorf("%s: cp: %v, %d bytes", r.name, err, got.Len())
		}
		t.Logf("%s: the next cp had ended %v after the kill", r.name, time.Since(killed).Round(time.Millisecond))
	case <-time.After(limit):
		t.Errorf("%s: the container is still locked %v after the client was killed", r.name, limit)
		_ = again.Process.Kill()
		<-done
	}
}
