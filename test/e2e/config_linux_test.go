package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// configuredStage has two distros, services behind pipes, and a configuration.
type configuredStage struct {
	*ward
	echo  string // a pipe whose service says everything back
	ours  string // one with dockerd behind it, of which nobody else knows
	conns atomic.Int32
	file  string
}

const (
	one = "ConfigOne"
	two = "ConfigTwo"
)

// configuration is the one of the user that all stages have.
var configuration sync.Mutex

func openConfigured(t *testing.T, more ...wsl.Distro) (context.Context, *configuredStage) {
	t.Helper()
	t.Parallel()
	configuration.Lock()
	t.Cleanup(configuration.Unlock)
	ctx, all, _ := onWindows(t)
	c := &configuredStage{ward: &ward{distro: one}, echo: "config-echo", ours: "config-docker"}
	var err error
	distros := []wsl.Distro{stage.LikeDebian(one), {Name: two, Kind: wsl.Debian, DockerGroup: true, User: stage.User}}
	if c.s, err = all.WithVM(ctx, wsl.Options{Dir: t.TempDir(), Distros: append(distros, more...)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.s.VM.Close(); err != nil {
			t.Error(err)
		}
	})
	c.services(ctx, t)
	var told struct{ User string }
	o := said(t, c.s.Windows(ctx, "config", "path", "--json"))
	if err := json.Unmarshal([]byte(o.stdout), &told); err != nil || !strings.HasPrefix(told.User, `C:\`) {
		t.Fatalf("%v: %+v", err, o)
	}
	c.file = filepath.Join(c.s.Wine.DriveC(), strings.ReplaceAll(told.User[3:], `\`, "/"))
	if err := os.MkdirAll(filepath.Dir(c.file), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(filepath.Dir(c.file)); err != nil {
			t.Error(err)
		}
	})
	return ctx, c
}

// onLoopback serves each connection to a port, which is closed when serve returns.
func onLoopback(t *testing.T, serve func(*net.TCPConn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn.(*net.TCPConn))
			}()
		}
	}()
	return l.Addr().String()
}

// services are behind the pipes, for as many connections as come. A client sees how one ends.
func (c *configuredStage) services(ctx context.Context, t *testing.T) {
	t.Helper()
	echo := onLoopback(t, func(conn *net.TCPConn) { _, _ = io.Copy(conn, conn) })
	docker := onLoopback(t, func(conn *net.TCPConn) {
		d, err := net.Dial("tcp", c.s.Docker.TCP)
		if err != nil {
			return
		}
		defer d.Close()
		c.conns.Add(1)
		defer c.conns.Add(-1)
		_ = lead(conn, d.(*net.TCPConn))
	})
	front, err := c.s.Wine.StartFront(ctx, map[string]string{c.echo: echo, c.ours: docker})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := front.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (c *configuredStage) write(t *testing.T, links ...string) {
	t.Helper()
	if err := os.WriteFile(c.file, []byte(strings.Join(links, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(name, distro, to string, more ...string) string {
	return fmt.Sprintf("[[link]]\nname = %q\ndistro = %q\nto = %s\n%s\n", name, distro, to, strings.Join(more, "\n"))
}

// up starts it, without flags of links.
func (c *configuredStage) up(ctx context.Context, t *testing.T) {
	t.Helper()
	console, err := c.s.Wine.Console(c.s.Windows(context.WithoutCancel(ctx), "up", "--json"))
	if err != nil {
		t.Fatal(err)
	}
	b := &stage.Bridge{Console: console}
	c.b = b
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("it said %s", b.Output())
		}
		if b.Cmd.ProcessState == nil {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
		noneLeft(t, "beside the engine", c.host)
	})
}

// host are the programs beside the engine that have to do with one of the distros.
func (c *configuredStage) host() []string {
	return append(c.ward.host(), (&ward{s: c.s, distro: two}).host()...)
}

// is waits until the bridge says that a link is at a state.
func (c *configuredStage) is(ctx context.Context, t *testing.T, distro, name, state string) bridgeStatus {
	t.Helper()
	return c.comesTo(ctx, t, distro, name, state, func(s bridgeStatus) bool { return s.State == state })
}

// works waits until the bridge says so of a link.
func (c *configuredStage) works(ctx context.Context, t *testing.T, distro, name string) bridgeStatus {
	t.Helper()
	return c.comesTo(ctx, t, distro, name, "well", func(s bridgeStatus) bool { return s.State == "ready" && s.Works })
}

func (c *configuredStage) comesTo(ctx context.Context, t *testing.T, distro, name, what string, holds func(bridgeStatus) bool) (got bridgeStatus) {
	t.Helper()
	until(ctx, t, name+" to be "+what, func() bool {
		got = bridges(t, c.s.Windows(ctx, "status", "--json"))[distro+" "+runDir+"/"+name+".sock"]
		return holds(got)
	})
	return got
}

// dial connects to a link's socket.
func (c *configuredStage) dial(t *testing.T, distro, name string) halfclose.Conn {
	t.Helper()
	conn, err := net.Dial("unix", in(c.s, distro, runDir+"/"+name+".sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	return conn.(halfclose.Conn)
}

// echoed says something and hears it.
func echoed(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, len(text))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != text {
		t.Fatalf("heard %q, %v", b, err)
	}
}

// gone wants a socket to go.
func (c *configuredStage) gone(ctx context.Context, t *testing.T, distro, name string) {
	t.Helper()
	until(ctx, t, "the socket of "+name+" to go", func() bool {
		_, err := os.Lstat(in(c.s, distro, runDir+"/"+name+".sock"))
		return errors.Is(err, fs.ErrNotExist)
	})
}

func (c *configuredStage) reload(ctx context.Context, t *testing.T, want string) {
	t.Helper()
	if o := said(t, c.s.Windows(ctx, "reload")); o.code != 0 || strings.TrimSpace(o.stdout) != want {
		t.Fatalf("reload: %+v, want %s", o, want)
	}
}

// Three links in two distros and one to a command, and beside them one whose socket can't be made,
// one whose distro is not there and one whose engine is not: each is served or has its own error.
// Then the file changes: what stays is not touched, what comes is served, what goes is gone, and a
// file that is wrong changes nothing.
func TestLinksOfAConfiguration(t *testing.T) {
	ctx, c := openConfigured(t)
	engine, echo := fmt.Sprintf("%q", stage.EnginePipe), fmt.Sprintf("%q", c.echo)
	good := []string{
		link("engine", one, engine),
		link("echo", one, echo),
		link("far", two, engine, `mode = "0600"`, `owner = "`+stage.User+`"`),
	}
	c.write(t, append(good,
		link("command", two, dialStdio(ctx, t), `kind = "docker"`),
		link("broken", one, echo, `from = "unix:/none/none/broken.sock"`),
		link("lost", "NoSuchDistro", echo),
		link("empty", two, `"no-such-pipe"`, `kind = "docker"`))...)
	c.up(ctx, t)
	for _, l := range []struct{ distro, name string }{{one, "engine"}, {one, "echo"}, {two, "far"}, {two, "command"}} {
		if got := c.works(ctx, t, l.distro, l.name); got.PID == 0 {
			t.Errorf("%s: %+v", l.name, got)
		}
	}
	c.is(ctx, t, "NoSuchDistro", "lost", "distro-gone")
	if got := c.is(ctx, t, two, "empty", "ready"); got.Works || !strings.Contains(got.EngineError, "there is no such place") {
		t.Errorf("empty: %+v", got)
	}
	all := bridges(t, c.s.Windows(ctx, "status", "--json"))
	if got := all[one+" /none/none/broken.sock"]; got.State != "link-failed" || got.Works || !strings.Contains(got.Reason, "serve socket in "+one) {
		t.Errorf("broken: %+v", got)
	}
	wantAttributes(ctx, t, c.s, two, runDir+"/far.sock", "socket 600 "+stage.User+":"+stage.User)
	for _, l := range []struct{ distro, name string }{{one, "engine"}, {two, "far"}} {
		if told, err := fromOutside(ctx, c.s, l.distro, runDir+"/"+l.name+".sock", "version"); err != nil {
			t.Errorf("%s: %v: %s", l.name, err, told)
		}
	}
	if n := len(c.host()); n != 2 {
		t.Errorf("%d wsl.exe for two distros: %q", n, c.host())
	}
	if o := said(t, c.s.Windows(ctx, "up", "--json")); o.code != 1 || !strings.Contains(o.stderr, "it is served already, by pid ") {
		t.Errorf("a second up: %+v", o)
	}
	c.command(ctx, t)

	live := c.dial(t, one, "echo")
	echoed(t, live, "before")
	c.write(t, good[0], good[1], link("new", two, echo))
	c.reload(ctx, t, "reloaded: added new; removed far, command, broken, lost, empty; unchanged engine, echo")
	c.is(ctx, t, two, "new", "ready")
	echoed(t, c.dial(t, two, "new"), "hello")
	c.gone(ctx, t, two, "far")
	echoed(t, live, "behind")

	c.write(t, good[0], good[1], "[[link]]\nname = \"new\"\nkindd = \"raw\"\n")
	o := said(t, c.s.Windows(ctx, "reload"))
	if o.code != 1 || !strings.Contains(o.stderr, `config.toml:15:1: a link has no key "kindd"; did you mean "kind"?`) {
		t.Errorf("reload of a wrong file: %+v", o)
	}
	o = filed(t, c.s.Windows(ctx, "install", "--user"))
	if o.code != 1 || o.stdout != "" || !strings.Contains(o.stderr, "nothing was changed: ") || !strings.Contains(o.stderr, "config.toml:15:1: ") {
		t.Errorf("install with a wrong file: %+v", o)
	}
	echoed(t, live, "still")
	echoed(t, c.dial(t, two, "new"), "still")

	c.write(t, good[0], link("echo", one, engine))
	c.reload(ctx, t, "reloaded: removed new; changed echo; unchanged engine")
	c.is(ctx, t, one, "echo", "ready")
	until(ctx, t, "the carrier of a distro without links to end", func() bool { return len(c.host()) == 1 })
	echoed(t, live, "to the last") // of the link as it was
	if told, err := fromOutside(ctx, c.s, one, runDir+"/echo.sock", "version"); err != nil {
		t.Errorf("echo, which is the engine now: %v: %s", err, told)
	}
	live.Close()
	if o := said(t, c.s.Windows(ctx, "stop", "--distro", one, "--socket", runDir+"/echo.sock")); o.code != 0 || strings.Count(o.stdout, "stopped the bridge for ") != 2 {
		t.Errorf("stop: %+v", o)
	}
	if err := c.b.End(ctx, 0); err != nil {
		t.Error(err)
	}
	c.gone(ctx, t, one, "engine")
	if o := said(t, c.s.Windows(ctx, "reload")); o.code != 1 || !strings.Contains(o.stderr, "no bridge runs that serves the configuration") {
		t.Errorf("reload with nobody there: %+v", o)
	}
}

// besideALoss is what goes each way on one carrier while another one is lost.
func besideALoss() int64 {
	if long() {
		return 200 << 20
	}
	return 40 << 20
}

// The carrier of a distro is lost while the other one moves much: it all arrives, the
// lost links come back.
func TestCarrierLostBesideABulk(t *testing.T) {
	ctx, c := openConfigured(t)
	echo := fmt.Sprintf("%q", c.echo)
	c.write(t, link("bulk", one, echo), link("lost", two, echo))
	c.up(ctx, t)
	c.is(ctx, t, one, "bulk", "ready")
	c.is(ctx, t, two, "lost", "ready")
	size := besideALoss()
	bulk, lost := c.dial(t, one, "bulk"), c.dial(t, two, "lost")
	echoed(t, lost, "before")
	want, _ := hashOf(t, noise(size))
	moved := make(chan error, 1)
	half := make(chan struct{})
	go func() {
		got, n, err := thereAndBack(bulk, size, half)
		if err == nil && (got != want || n != size) {
			err = fmt.Errorf("%d bytes of %d, or others", n, size)
		}
		moved <- err
	}()
	<-half
	began := kill(t, newcomer(t, (&ward{s: c.s, distro: two}).host(), "wsl.exe"))
	if _, err := lost.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the lost connection: %v", err)
	}
	c.is(ctx, t, two, "lost", "ready")
	until(ctx, t, "the lost link to come back", func() bool { return strings.Count(c.b.Output(), `"link":"lost"`) >= 2 })
	t.Logf("it was back %v after the loss", time.Since(began).Round(time.Millisecond))
	echoed(t, c.dial(t, two, "lost"), "again")
	if err := <-moved; err != nil {
		t.Error(err)
	}
	if n := strings.Count(c.b.Output(), `"event":"lost","distro":"`+one); n > 0 {
		t.Errorf("the other carrier was lost %d times", n)
	}
}

// thereAndBack moves noise to an echo and back, and says when half of it is.
func thereAndBack(c halfclose.Conn, size int64, half chan struct{}) (sum [sha256.Size]byte, n int64, err error) {
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(c, noise(size))
		sent <- errors.Join(err, c.CloseWrite())
	}()
	h := sha256.New()
	n, err = io.CopyN(h, c, size/2)
	close(half)
	if err == nil {
		var rest int64
		rest, err = io.Copy(h, c)
		n += rest
	}
	h.Sum(sum[:0])
	return sum, n, errors.Join(err, <-sent)
}
