package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// Docker's library for Python keeps connections in a pool, takes sockets over
// from its HTTP library, and streams in ways of its own.
func TestPythonStreams(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.PartPython)
	ctx, s, b := onWindows(t)
	script, err := os.ReadFile("testdata/streams.py")
	if err != nil {
		t.Fatal(err)
	}
	direct, bridged := routes(s, b)
	var outcomes [2]outcome
	for i, r := range []route{direct, bridged} {
		began := time.Now()
		cmd := s.Client(ctx, "env", "DOCKER_HOST="+r.host, "/usr/bin/python3", "-", s.Docker.Image)
		outcomes[i] = finish(t, cmd, strings.NewReader(string(script)))
		t.Logf("%s: took %v", r.name, time.Since(began).Round(time.Millisecond))
	}
	o := same(t, outcomes[1], outcomes[0], "python")
	if o.code != 0 || o.stderr != "" {
		t.Fatalf("%+v", o)
	}
	contains(t, o.stdout,
		`exec 5 (b'out\n', b'err\n')`, "exec stream 588895 ", "exec demux stdout 108894 ", "exec demux stderr 168894 ",
		`True b'late\n'`, "exec socket code 6", "put True", "get 3000000 ", " noise 3000000 0o640",
		"logs 47786 ", "'StatusCode': 7")
}
