package e2e

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

const (
	sharedPath = "/mnt/wsl/docker-wsl-bridge"
	sharedEcho = sharedPath + "/echo.sock"
	// elsewhere is the same in a distro that has its drives at /mnt/host.
	elsewhere = "/mnt/host/wsl/docker-wsl-bridge"
)

// everywhere is what the bridge tells of the link of all distros.
func (c *configuredStage) everywhere(ctx context.Context, t *testing.T) bridgeStatus {
	t.Helper()
	return bridges(t, c.s.Windows(ctx, "status", "--json"))["* "+sharedEcho]
}

// servedFrom waits until it is served from a distro, with no look at how the bridge is doing while
// nobody says anything back.
func (c *configuredStage) servedFrom(ctx context.Context, t *testing.T, distro string) bridgeStatus {
	t.Helper()
	began := time.Now()
	until(ctx, t, "an echo for all distros", func() bool { return c.echoAt(stage.DockerDesktop, elsewhere+"/echo.sock") == nil })
	after := time.Since(began).Round(time.Millisecond)
	var got bridgeStatus
	until(ctx, t, distro+" to serve all", func() bool {
		got = c.everywhere(ctx, t)
		return got.State == "ready" && got.Link.Host == distro
	})
	t.Logf("%s serves all, %v later", distro, after)
	return got
}

// echoAt hears what it says at a socket of a distro, as root.
func (c *configuredStage) echoAt(distro, socket string) error {
	conn, err := net.Dial("unix", in(c.s, distro, socket))
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Write([]byte("word")); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 4))
	return err
}

// echoAs is the same from within a distro, by a user of this number, who is in no group.
func (c *configuredStage) echoAs(ctx context.Context, distro string, uid int) (said string) {
	user := fmt.Sprint(uid)
	cmd := c.s.VM.Command(ctx, distro, "root", "setpriv", "--reuid", user, "--regid", "65534", "--clear-groups",
		"socat", "-t", "10", "-", "UNIX-CONNECT:"+sharedEcho)
	cmd.Stdin = strings.NewReader("word")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v: %s", err, out)
	}
	return string(out)
}

// mayUse wants these users to be let in, in both distros, and those to be kept out.
func (c *configuredStage) mayUse(ctx context.Context, t *testing.T, in, out []int) {
	t.Helper()
	for _, distro := range []string{one, two} {
		for _, uid := range in {
			if said := c.echoAs(ctx, distro, uid); said != "word" {
				t.Errorf("uid %d of %s: %s", uid, distro, said)
			}
		}
		for _, uid := range out {
			if said := c.echoAs(ctx, distro, uid); !strings.Contains(said, "Permission denied") {
				t.Errorf("uid %d of %s, who is not to be let in: %s", uid, distro, said)
			}
		}
	}
}

func (c *configuredStage) terminate(ctx context.Context, t *testing.T, distro string) {
	t.Helper()
	if out, err := c.s.WSL(ctx, "--terminate", distro).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// running are the distros that run.
func (c *configuredStage) running(ctx context.Context, t *testing.T) []string {
	t.Helper()
	cmd := c.s.WSL(ctx, "--list", "--running", "--quiet")
	cmd.Env = append(cmd.Env, "WSL_UTF8=1")
	return strings.Fields(said(t, cmd).stdout)
}

// uses has a person use a distro until the test ends, which starts it.
func (c *configuredStage) uses(ctx context.Context, t *testing.T, distro string) {
	t.Helper()
	cmd := c.s.WSL(ctx, "-d", distro, "-e", "/bin/sh", "-c", "echo here; exec sleep 300")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := out.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
}

// One socket for all distros: they all see and use it, who is not let in is not, in none of them.
// When the distro that serves it stops the next one takes over, none is started for that, and what
// else is served from there is not disturbed. Nothing is left in the end.
func TestOneSocketForAllDistros(t *testing.T) {
	lab.Need(t, lab.PartSocat)
	ctx, c := openConfigured(t, wsl.Distro{Name: stage.DockerDesktop, Kind: wsl.Busybox, AutomountRoot: "/mnt/host/"})
	echo := fmt.Sprintf("%q", c.echo)
	own := link("own", two, echo)
	c.write(t, link("echo", "*", echo, `host = "`+one+`"`), own)
	c.up(ctx, t)
	got := c.servedFrom(ctx, t, one)
	if !got.Works || got.Link.Mode != "0600" || got.Link.Owner != "1000:0" || fmt.Sprint(got.Link.Uids) != "[1000]" {
		t.Errorf("%+v", got)
	}
	for _, distro := range []string{one, two} {
		wantAttributes(ctx, t, c.s, distro, sharedEcho, "socket 600 "+stage.User+":root")
		wantAttributes(ctx, t, c.s, distro, sharedPath, "directory 755 root:root")
	}
	c.mayUse(ctx, t, []int{0, 1000}, []int{1001, 65534})
	c.write(t, link("echo", "*", echo, `host = "`+one+`"`, "uids = [1000, 4711]"), own)
	c.reload(ctx, t, "reloaded: changed echo; unchanged own")
	until(ctx, t, "both to be let in", func() bool { return c.everywhere(ctx, t).Link.Mode == "0660" })
	c.mayUse(ctx, t, []int{0, 1000, 4711}, []int{1001, 65534})
	text := said(t, c.s.Windows(ctx, "status")).stdout
	contains(t, text, sharedEcho+" in every distro", "for uids 1000, 4711 of each distro and root, served by "+one)
	doctor := said(t, c.s.Windows(ctx, "doctor", "--distro", "*"))
	contains(t, doctor.stdout, "the distro that serves all is "+one, "DWB402  it is 0:0 0660, as the bridge has made it", "DWB403  "+stage.User+" may use it")

	live := c.dial(t, two, "own")
	echoed(t, live, "before")
	c.terminate(ctx, t, one)
	got = c.servedFrom(ctx, t, two)
	if !got.Works || got.Link.Mode != "0660" {
		t.Errorf("%+v", got)
	}
	echoed(t, live, "behind")
	if said := c.echoAs(ctx, two, 4711); said != "word" {
		t.Errorf("uid 4711: %s", said)
	}
	if left := c.running(ctx, t); len(left) != 2 {
		t.Errorf("%q run", left)
	}

	c.uses(ctx, t, one)
	c.mayUse(ctx, t, []int{4711}, []int{1001})
	if host := c.everywhere(ctx, t).Link.Host; host != two {
		t.Errorf("it went to %s though %s runs", host, two)
	}
	c.terminate(ctx, t, two)
	c.servedFrom(ctx, t, one)
	c.terminate(ctx, t, one)
	until(ctx, t, "nobody to be there to serve it", func() bool { return c.everywhere(ctx, t).State == "distro-stopped" })
	if left := c.running(ctx, t); len(left) != 1 || left[0] != stage.DockerDesktop {
		t.Errorf("%q run", left)
	}
	c.uses(ctx, t, two)
	c.servedFrom(ctx, t, two)

	if o := said(t, c.s.Windows(ctx, "stop", "--distro", "*")); o.code != 0 || strings.Count(o.stdout, "stopped the bridge for ") != 2 {
		t.Errorf("stop: %+v", o)
	}
	if err := c.b.End(ctx, 0); err != nil {
		t.Error(err)
	}
	absent(t, c.s, stage.DockerDesktop, elsewhere)
}

// Everybody may make files in the directory that all distros share. What somebody else has put where
// the socket belongs is not followed and not used, and told with what shows it; when it is gone the
// socket is served.
func TestSomebodyElsesSharedDirectory(t *testing.T) {
	ctx, c := openConfigured(t, wsl.Distro{Name: stage.DockerDesktop, Kind: wsl.Busybox, AutomountRoot: "/mnt/host/"})
	run := func(user, script string) {
		t.Helper()
		if out, err := c.s.VM.Command(ctx, two, user, "/bin/sh", "-c", script).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", script, err, out)
		}
	}
	run(stage.User, "ln -s /etc "+sharedPath)
	c.write(t, link("echo", "*", fmt.Sprintf("%q", c.echo)), link("own", one, fmt.Sprintf("%q", c.echo)))
	c.up(ctx, t)
	c.is(ctx, t, one, "own", "ready")
	refused := func(why string) {
		t.Helper()
		var got bridgeStatus
		until(ctx, t, "it to be refused: "+why, func() bool {
			got = c.everywhere(ctx, t)
			return got.State == "link-failed" && strings.Contains(got.Reason, why)
		})
		contains(t, fmt.Sprintln(got.Hints), "to see what is in the way, run: wsl --distro "+one+" --user root ls -la "+sharedPath)
	}
	refused("is a symbolic link of uid 1000, who could lead it elsewhere")
	absent(t, c.s, one, "/etc/echo.sock")
	run(stage.User, "rm "+sharedPath+"; mkdir "+sharedPath)
	refused("directory " + sharedPath + " belongs to uid 1000, who could replace the socket")
	echoed(t, c.dial(t, one, "own"), "another link")
	run("root", "rmdir "+sharedPath)
	c.servedFrom(ctx, t, one)
	if o := said(t, c.s.Windows(ctx, "stop", "--distro", "*")); o.code != 0 {
		t.Errorf("stop: %+v", o)
	}
	if err := c.b.End(ctx, 0); err != nil {
		t.Error(err)
	}
}
