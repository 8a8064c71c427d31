package e2e

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// engineAt is the stage's dockerd at a socket of the first distro. It ends a connection
// as dockerd does: of an exec or attach its own half alone, and waits for the client's.
func (r *reversed) engineAt(t *testing.T, socket string) {
	t.Helper()
	l, err := net.Listen("unix", in(r.s, one, socket))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				d, err := net.Dial("unix", r.s.Docker.Socket)
				if err != nil {
					return
				}
				defer d.Close()
				_ = lead(c.(halfclose.Conn), d.(halfclose.Conn)) // the client sees how it ends
			}()
		}
	}()
}

// nodeStream is what testdata/node/streams.js tells of one.
type nodeStream struct {
	Name, How, Text string
	Late, Size      int
}

// node runs the script with a pipe.
func (r *reversed) node(ctx context.Context, t *testing.T, pipe string, limit string) []nodeStream {
	t.Helper()
	const source = "testdata/node"
	dir, err := lab.FetchNode(ctx, source)
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs(filepath.Join(source, "streams.js"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := r.s.Wine.Node(ctx, dir, script, pipe, r.s.Docker.Image, limit)
	cmd.Stdout, cmd.Stderr = out, out
	failed := cmd.Run()
	said, err := os.ReadFile(out.Name())
	if err != nil || failed != nil {
		t.Fatalf("%v, %v: %s", failed, err, said)
	}
	var list []nodeStream
	for line := range strings.Lines(string(said)) {
		var s nodeStream
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		list = append(list, s)
	}
	return list
}

// Node on Windows takes no notice of a half-close, and dockerd gives no other end of an exec or attach. So what
// dockerode follows there ends when the engine has ended it, and not when somebody closes the connection.
func TestNodeStreamsEndWithTheEngines(t *testing.T) {
	if !everyClient() {
		t.Skip("make test-full has it: npm fetches node.exe")
	}
	lab.Need(t, lab.PartNpm)
	ctx, r := openReversed(t)
	const socket, pipe = "/run/node.sock", "reverse_node"
	r.engineAt(t, socket)
	r.write(t, reverseLink("node", one, pipe, "unix:"+socket, `kind = "docker"`))
	r.up(ctx, t)
	r.opens(ctx, t, one, pipe)
	began := time.Now()
	list := r.node(ctx, t, pipe, "20000")
	if len(list) != 12 {
		t.Errorf("%d streams in %v: %+v", len(list), time.Since(began), list)
	}
	for _, s := range list {
		t.Logf("%s: %d bytes, %s %d ms after the engine", s.Name, s.Size, s.How, s.Late)
		if s.How != "end" && s.How != "close" {
			t.Errorf("%s: %s 20 s after the engine's end", s.Name, s.How)
		}
		want := "said\n"
		switch s.Name {
		case "exec with a terminal", "attach with a terminal":
			want = "said\r\n"
		case "exec that says nothing":
			want = ""
		case "exec with much output":
			if s.Size != 1288895 {
				t.Errorf("%s: %d bytes", s.Name, s.Size)
			}
			continue
		}
		if s.Text != want {
			t.Errorf("%s: %q, want %q", s.Name, s.Text, want)
		}
	}
}
