package e2e

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// heavy is the size of what makes an image or a build context large.
func heavy() int64 {
	if long() {
		return 100 << 20
	}
	return 8 << 20
}

// idOf is an image's id, straight from the engine.
func idOf(ctx context.Context, t *testing.T, s *stage.Stage, image string) string {
	t.Helper()
	direct := straight(s)
	return strings.TrimSpace(direct.must(ctx, t, s, "inspect", "--type", "image", "-f", "{{.Id}}", image))
}

// removeImages removes them at the end of the test, those that are there.
func removeImages(ctx context.Context, t *testing.T, s *stage.Stage, images ...string) {
	t.Helper()
	direct := straight(s)
	t.Cleanup(func() {
		direct.run(context.WithoutCancel(ctx), t, s, nil, append([]string{"rmi", "-f"}, images...)...)
	})
}

// save saves an image into a file and gives the sum of its bytes.
func save(ctx context.Context, t *testing.T, s *stage.Stage, r route, image, file string) [sha256.Size]byte {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := r.docker(ctx, s, "save", image)
	cmd.Stdout, cmd.Stderr = f, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: save: %v", r.name, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	sum, _ := hashOf(t, f)
	return sum
}

// load loads a file while nothing of its image is there.
func load(ctx context.Context, t *testing.T, s *stage.Stage, r route, image, file string) outcome {
	t.Helper()
	direct := straight(s)
	direct.must(ctx, t, s, "rmi", "-f", image)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return r.run(ctx, t, s, f, "load")
}

// An image of noise goes up by `import`, comes down by `save` and goes up again
// by `load`, and stays the same.
func TestLargeImageSaveAndLoad(t *testing.T) {
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	const image = "heavy:test"
	removeImages(ctx, t, s, image)
	if o := bridged.run(ctx, t, s, archive(t, "noise", heavy()), "import", "-", image); o.code != 0 {
		t.Fatalf("import: %+v", o)
	}
	id := idOf(ctx, t, s, image)
	var sums [2][sha256.Size]byte
	var loads [2]outcome
	var files [2]string
	for i, r := range []route{direct, bridged} {
		files[i] = filepath.Join(t.TempDir(), r.name+".tar")
		began := time.Now()
		sums[i] = save(ctx, t, s, r, image, files[i])
		t.Logf("%s: saved %d MiB in %v", r.name, heavy()>>20, time.Since(began).Round(time.Millisecond))
	}
	if sums[0] != sums[1] {
		t.Error("what save gives differs")
	}
	for i, r := range []route{direct, bridged} {
		began := time.Now()
		loads[i] = load(ctx, t, s, r, image, files[1])
		t.Logf("%s: loaded %d MiB in %v", r.name, heavy()>>20, time.Since(began).Round(time.Millisecond))
		if got := idOf(ctx, t, s, image); got != id {
			t.Errorf("%s: loaded as %s, saved as %s", r.name, got, id)
		}
	}
	same(t, loads[1], loads[0], "load")
}

// `save` and `load` at once, and programs that run afterwards.
func TestSavePipedIntoLoad(t *testing.T) {
	ctx, s, b := onStage(t)
	direct, bridged := routes(s, b)
	const image = "piped:test"
	removeImages(ctx, t, s, image)
	direct.must(ctx, t, s, "tag", s.Docker.Image, image)
	var seen [2]outcome
	for i, r := range []route{direct, bridged} {
		pipe := "set -e; docker -H " + r.host + " save " + image + " | docker -H " + r.host + " load"
		seen[i] = finish(t, s.Client(ctx, "sh", "-c", pipe), nil)
		if got, want := idOf(ctx, t, s, image), idOf(ctx, t, s, s.Docker.Image); got != want {
			t.Errorf("%s: loaded as %s, saved as %s", r.name, got, want)
		}
	}
	if o := same(t, seen[1], seen[0], "load"); o.stdout != "Loaded image: "+image+"\n" {
		t.Errorf("%+v", o)
	}
	compare(t, nil, once(image, nil, "echo it runs")...)
}
