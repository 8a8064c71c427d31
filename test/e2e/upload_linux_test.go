package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// An upload is a command that takes a tar stream, and what shows afterwards
// that the engine is none the worse.
type upload struct {
	args  []string
	again func(ctx context.Context, t *testing.T, s *stage.Stage, r route)
}

// uploads need a container of the name "upload".
var uploads = []upload{
	{[]string{"cp", "-", "upload:/tmp"}, func(ctx context.Context, t *testing.T, s *stage.Stage, r route) {
		const size = 70000
		if o := r.run(ctx, t, s, archive(t, "whole", size), "cp", "-", "upload:/tmp"); o.code != 0 {
			t.Errorf("the next cp: %+v", o)
		}
		o := r.run(ctx, t, s, nil, "exec", "upload", "cat", "/tmp/whole")
		var want bytes.Buffer
		_, _ = io.Copy(&want, noise(size)) // neither fails
		differs(t, "what the next cp brought", o.stdout, want.String())
	}},
	{[]string{"build", "--network", "none", "-"}, func(ctx context.Context, t *testing.T, s *stage.Stage, r route) {
		dir, _ := r.buildContext(t, s, 1<<20, "FROM "+s.Docker.Image+"\nCOPY small /\nCMD echo built\n")
		removeImages(ctx, t, s, "again:test")
		if o := build(ctx, t, s, r, "0", "-t", "again:test", dir); o.code != 0 {
			t.Errorf("the next build: %+v", o)
		}
		if o := r.run(ctx, t, s, nil, "run", "--rm", "--network", "none", "again:test"); o.stdout != "built\n" {
			t.Errorf("what the next build made: %+v", o)
		}
	}},
	{[]string{"load"}, func(ctx context.Context, t *testing.T, s *stage.Stage, r route) {
		direct := straight(s)
		image := direct.must(ctx, t, s, "save", s.Docker.Image)
		o := r.run(ctx, t, s, bytes.NewReader([]byte(image)), "load")
		if o.code != 0 || o.stdout != "Loaded image: "+s.Docker.Image+"\n" {
			t.Errorf("the next load: %+v", o)
		}
	}},
}

// A client that dies in mid-upload leaves no connection at the engine, and
// nothing that is locked or half done keeps the next one from its work.
func TestClientKilledInMidUpload(t *testing.T) {
	ctx, s, b := onStage(t)
	container(ctx, t, s, "upload", "sleep", "600")
	direct, bridged := routes(s, b)
	idleEngine(ctx, t, s)
	for _, u := range uploads {
		for _, r := range []route{direct, bridged} {
			t.Run(u.args[0]+"/"+r.name, func(t *testing.T) {
				killed := killInMidUpload(ctx, t, s, r, u.args)
				idleEngine(ctx, t, s)
				t.Logf("the engine's connections had ended %v after the kill", time.Since(killed).Round(time.Millisecond))
				const bound = time.Minute // it takes about a second
				short, cancel := context.WithTimeout(ctx, bound)
				defer cancel()
				u.again(short, t, s, r)
				idleEngine(ctx, t, s)
			})
		}
	}
}

// killInMidUpload kills a command that was sent much, which the engine has
// taken nearly all of, and would be sent more.
func killInMidUpload(ctx context.Context, t *testing.T, s *stage.Stage, r route, args []string) time.Time {
	t.Helper()
	const whole, sent = 100 << 20, 8 << 20
	cmd := r.docker(ctx, s, args...)
	cmd.Env = append(cmd.Env, "DOCKER_BUILDKIT=0")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	files := tar.NewWriter(in)
	err = files.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "half", Mode: 0o644, Size: whole})
	if err == nil {
		_, err = io.Copy(files, noise(sent))
	}
	if err != nil || engineConns(t, s) == 0 {
		t.Errorf("it is not in mid-upload: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	_ = cmd.Wait() // it was killed
	return killed
}
