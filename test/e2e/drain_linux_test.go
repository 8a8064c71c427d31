package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// A drain takes no new connection and waits for those that are there, which go on; it tells who they are.
// What has not ended in time is cut, and that is told.
func TestDrain(t *testing.T) {
	t.Parallel()
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
			ended(ctx, t, b)
		})
	}
}

// With a configuration all links are drained, whichever is meant, and each tells what was cut.
func TestDrainOfAConfiguration(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	text := ""
	for _, name := range []string{"busy", "idle"} {
		text += fmt.Sprintf("[[link]]\nname = %q\nfrom = \"unix:%s/%s.sock\"\nkind = \"raw\"\nto = \"unix:%s\"\n", name, runDir, name, s.Docker.Socket)
	}
	program := configuredLinux(ctx, t, s, text)
	b := runs(t, program("run"))
	c := awaitSocket(ctx, t, s, runDir+"/busy.sock")
	if _, err := io.WriteString(c, "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 15)); err != nil {
		t.Fatal(err)
	}
	o := said(t, program("drain", "--json", "--timeout", "1500ms", "--socket", runDir+"/idle.sock"))
	if o.code != 1 || !strings.Contains(o.stderr, "error: 1 connections had not ended after 1.5s and were cut") {
		t.Errorf("%+v", o)
	}
	for _, want := range []string{
		`{"event":"draining","pid":`, `/busy.sock","connections":1,"streams":[{`, `/busy.sock","connections":0,"cut":1}` + "\n", `/idle.sock","connections":0}` + "\n",
	} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("without %s: %s", want, o.stdout)
		}
	}
	b.endsWell(t)
}

// awaitSocket connects to a socket once it is served.
func awaitSocket(ctx context.Context, t *testing.T, s *stage.Stage, socket string) (c net.Conn) {
	t.Helper()
	until(ctx, t, "the link to be served", func() bool {
		var err error
		c, err = net.Dial("unix", in(s, stage.Debian, socket))
		return err == nil
	})
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c
}
