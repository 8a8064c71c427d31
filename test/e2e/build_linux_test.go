package e2e

import (
	"archive/tar"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// buildContext puts a directory with a Dockerfile and some files of noise, one
// large, into a route's distro, and gives its path there and the lines that md5sum writes for them.
// (Not a longer sum: it would look like an id to the comparison.) Each route
// gets one of its own: BuildKit fetches nothing twice from the same directory.
func (r route) buildContext(t *testing.T, s *stage.Stage, large int64, dockerfile string) (dir, sums string) {
	t.Helper()
	outside, err := os.MkdirTemp(r.in(s, "/tmp"), "context-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(outside) })
	modeErr := os.Chmod(outside, 0o755)
	err = errors.Join(modeErr, os.WriteFile(filepath.Join(outside, "Dockerfile"), []byte(dockerfile), 0o644))
	for _, f := range []struct {
		name string
		size int64
	}{{"empty", 0}, {"large", large}, {"small", 70000}} {
		sum, failed := writeNoise(filepath.Join(outside, f.name), f.size)
		err = errors.Join(err, failed)
		sums += fmt.Sprintf("%x  %s\n", sum, f.name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "/tmp/" + filepath.Base(outside), sums
}

func writeNoise(path string, size int64) ([]byte, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sum := md5.New()
	_, err = io.Copy(io.MultiWriter(f, sum), noise(size))
	made := time.Unix(1e9, 0) // always the same: what is built from it is, too
	return sum.Sum(nil), errors.Join(err, os.Chtimes(path, made, made))
}

// build runs a build with the builder that DOCKER_BUILDKIT chooses.
func build(ctx context.Context, t *testing.T, s *stage.Stage, r route, buildkit string, args ...string) outcome {
	t.Helper()
	cmd := r.docker(ctx, s, append([]string{"build", "--no-cache", "--network", "none"}, args...)...)
	cmd.Env = append(cmd.Env, "DOCKER_BUILDKIT="+buildkit)
	began := time.Now()
	o := finish(t, cmd, nil)
	t.Logf("%s: built in %v", r.name, time.Since(began).Round(time.Millisecond))
	return o
}

// The classic builder takes its whole context in one request.
func TestClassicBuild(t *testing.T) {
	t.Parallel()
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	const image = "classic:test"
	removeImages(ctx, t, s, image)
	dir, sums := direct.buildContext(t, s, heavy(), "FROM "+s.Docker.Image+"\nCOPY empty large small /context/\n"+
		"WORKDIR /context\nRUN md5sum * && echo built >log\nCMD cat log; md5sum *; exit 3\n")
	var seen [2]outcome
	for i, r := range []route{direct, bridged} {
		seen[i] = build(ctx, t, s, r, "0", "-t", image, dir)
		ran := r.run(ctx, t, s, nil, "run", "--rm", "--network", "none", image)
		if want := "built\n" + sums[:strings.LastIndex(sums, "large")]; ran.code != 3 || !strings.HasPrefix(ran.stdout, want) {
			t.Errorf("%s: what was built runs as %+v", r.name, ran)
		}
	}
	if o := same(t, seen[1], seen[0], "build"); o.code != 0 || !strings.Contains(o.stdout, sums) {
		t.Errorf("no %q in %+v", sums, o)
	}
}

// BuildKit asks for what it needs of the context, and for the secret, over
// /session: gRPC over HTTP/2 on a connection that is upgraded to h2c.
func TestBuildKitBuild(t *testing.T) {
	t.Parallel()
	onBothByWindows(t, buildKitBuild(heavy()))
}

func buildKitBuild(large int64) play {
	return func(ctx context.Context, t *testing.T, s *stage.Stage, ways ...route) {
		lab.Need(t, lab.PartBuildKit)
		image := named("buildkit", ways) + ":test"
		removeImages(ctx, t, s, image)
		dockerfile := "FROM " + s.Docker.Image + "\nCOPY empty large small /context/\nWORKDIR /context\n" +
			"RUN --mount=type=secret,id=token md5sum * /run/secrets/token >/sums\nCMD cat /sums; exit 3\n"
		for _, r := range ways {
			dir, sums := r.buildContext(t, s, large, dockerfile)
			o := build(ctx, t, s, r.with(debianDocker), "1", "--progress", "plain", "--secret", "id=token,src="+dir+"/Dockerfile", "-t", image, dir)
			if o.code != 0 {
				t.Fatalf("%s: %+v", r.name, o)
			}
			ran := r.run(ctx, t, s, nil, "run", "--rm", "--network", "none", image)
			if want := sums + fmt.Sprintf("%x  /run/secrets/token\n", md5.Sum([]byte(dockerfile))); ran.code != 3 || ran.stdout != want {
				t.Errorf("%s: what was built runs as %+v, want %q", r.name, ran, want)
			}
		}
	}
}

// The result comes back over /session, too. It is the same to the byte.
func TestBuildKitOutput(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.PartBuildKit)
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	var results [2]string
	for i, r := range []route{direct, bridged} {
		dir, _ := r.buildContext(t, s, heavy(), "FROM scratch\nCOPY empty large small /\n")
		o := build(ctx, t, s, r.with(debianDocker), "1", "-q", "--output", "type=tar,dest=-", dir)
		if o.code != 0 || o.stderr != "" {
			t.Errorf("%s: exit code %d: %s", r.name, o.code, o.stderr)
		}
		results[i] = o.stdout
	}
	if results[0] != results[1] {
		t.Errorf("the result differs: %d bytes, direct %d", len(results[1]), len(results[0]))
	}
	entries := tar.NewReader(strings.NewReader(results[1]))
	for _, size := range []int64{0, heavy(), 70000} {
		h, err := entries.Next()
		if err != nil || h.Size != size {
			t.Fatalf("%+v, %v; want %d bytes", h, err, size)
		}
		got, _ := hashOf(t, entries)
		if want, _ := hashOf(t, noise(size)); got != want {
			t.Errorf("%s is not what was sent", h.Name)
		}
	}
}
