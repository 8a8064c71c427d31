package lab_test

import (
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// A Windows program reaches the real daemon through the pipes of a front, and
// finds no pipe when the front is closed.
func TestFront(t *testing.T) {
	lab.Need(t, lab.PartWine)
	_, d := startDocker(t, t.TempDir())
	defer d.Close()
	ctx, w, exe := open(t)
	f, err := w.StartFront(ctx, map[string]string{"one": d.TCP, "two": d.TCP})
	if err != nil {
		t.Fatal(err)
	}
	for _, pipe := range []string{"one", "two"} {
		out, err := w.Command(ctx, exe, "ask", pipe).Output()
		if err != nil || strings.TrimSpace(string(out)) != "HTTP/1.0 200 OK" {
			t.Errorf("%s: %q %v", pipe, out, err)
		}
	}
	if _, err := w.StartFront(ctx, map[string]string{"": d.TCP}); err == nil {
		t.Error("a front without a pipe's name starts")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if out, err := w.Command(ctx, exe, "ask", "one").Output(); err == nil {
		t.Errorf("the pipe is there after Close: %s", out)
	}
}
