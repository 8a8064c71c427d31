package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// A drain takes no new connection and waits for those that are there, which go on; it tells who they are.
// What has not ended in time is cut, and that is told.
func TestDrain(t *testing.T) {
	ctx, s, _ := onStage(t)
	const socket = runDir + "/drain.sock"
	for name, tc := range map[string]struct {
		timeout string
		end     bool // the client ends
		code    int
		says    string
	}{
		"in time":  {"5m", true, 0, ""},
		"too late": {"2s", false, 1, "error: 1 connections had not ended after 2s and were cut"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := s.Up(ctx, s.Linux(context.WithoutCancel(ctx), "up", "--json", "--pipe", "unix:"+s.Docker.Socket, "--socket", socket))
			if err != nil {
				t.Fatal(err)
			}
			container(ctx, t, s, "drained", "sh", "-c", "echo first; while ! [ -e /go ]; do sleep 0.1; done; echo last")
			direct, _ := routes(s, b)
			f := follow(ctx, t, s, route{name: "bridge", host: b.Host}, "logs", "-f", "drained")
			f.next(t)
			console, err := s.Wine.Console(s.Linux(context.WithoutCancel(ctx), "drain", "--socket", socket, "--timeout", tc.timeout))
			if err != nil {
				t.Fatal(err)
			}
			drain := &stage.Bridge{Console: console}
			if err := drain.Await(ctx, fmt.Sprintf("%s in %s: 1 connections left: docker logs\n", socket, stage.Debian)); err != nil {
				t.Error(err)
			}
			until(ctx, t, "the socket to go", func() bool { return isAbsent(s, stage.Debian, socket) })
			if tc.end {
				direct.must(ctx, t, s, "exec", "drained", "touch", "/go")
				if line := f.next(t); line != "last" {
					t.Errorf("the connection went on with %q", line)
				}
			}
			code, err := drain.Wait(ctx)
			said := drain.Output()
			if err != nil || code != tc.code || !strings.Contains(said, "drained the bridge for "+socket+" in Debian (pid ") || !strings.Contains(said, tc.says) {
				t.Errorf("drain: code %d, %v: %s", code, err, said)
			}
			if code, _ := ended(ctx, t, b); code != 0 {
				t.Errorf("exit code %d: %s", code, b.Output())
			}
		})
	}
}
