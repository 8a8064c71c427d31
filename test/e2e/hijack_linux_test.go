package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// busyLoops keep the processors busy until the test ends, and for ten minutes of a processor each at most.
func busyLoops(t *testing.T, loops int) {
	t.Helper()
	for range loops {
		cmd := exec.Command("sh", "-c", "ulimit -t 600; while :; do :; done")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() }) // it says that it was killed
	}
}

// Docker's library for Python loses what comes in one read with the head of an answer that changes the protocol. Straight
// at the engine that is seldom on a machine with nothing else to do, and not so seldom on a busy one. A relay, which
// makes two writes one read, must not make it the rule: through the bridge every call is whole.
func TestPythonGetsWhatFollowsTheHead(t *testing.T) {
	lab.Need(t, lab.PartPython)
	_, s, b := onStage(t)
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Minute)
	defer cancel()
	script, err := os.ReadFile("testdata/hijack.py")
	if err != nil {
		t.Fatal(err)
	}
	execs, attaches := 20, 5
	if everyClient() {
		execs, attaches = 500, 20
		busyLoops(t, 6)
	}
	direct, bridged := routes(s, b)
	direct.host = "unix://" + s.Docker.Socket // what it is to be compared with
	ask := func(r route, cmd *exec.Cmd) outcome {
		began := time.Now()
		o := finish(t, cmd, strings.NewReader(string(script)))
		t.Logf("%s: %q in %v", r.name, o.stdout, time.Since(began).Round(time.Millisecond))
		return o
	}
	args := []string{"/usr/bin/python3", "-", s.Docker.Image, "hijack", fmt.Sprint(execs), fmt.Sprint(attaches)}
	if everyClient() && testing.Verbose() { // how it is without a bridge, for whoever looks: it takes as long again
		outside := exec.CommandContext(ctx, args[0], args[1:]...)
		outside.Env = []string{"DOCKER_HOST=" + direct.host}
		ask(direct, outside)
	}
	o := ask(bridged, s.Client(ctx, append([]string{"env", "DOCKER_HOST=" + bridged.host}, args...)...))
	if want := fmt.Sprintf("exec %d of %[1]d []\nattach %d of %[2]d []\n", execs, attaches); o.code != 0 || o.stdout != want || o.stderr != "" {
		t.Errorf("%+v, want %q", o, want)
	}
}
