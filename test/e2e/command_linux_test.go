package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// configuredLinux is the program of Linux with a configuration and a state of its own.
func configuredLinux(ctx context.Context, t *testing.T, s *stage.Stage, text string) func(args ...string) *exec.Cmd {
	t.Helper()
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, "docker-wsl-bridge"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "docker-wsl-bridge", "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) *exec.Cmd {
		cmd := s.Linux(context.WithoutCancel(ctx), args...)
		cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+home, "XDG_CONFIG_HOME="+home)
		return cmd
	}
}

// A command as the other end, both halves on Linux: half-close in both directions, its words in
// the log, and no process left.
func TestHalfCloseOfACommand(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.PartSocat)
	ctx, s, _ := onStage(t)
	engine, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	// Not "-,shut-close": socat 1.8 leaves its stdout open with that.
	text := fmt.Sprintf("[[link]]\nname = \"command\"\nto = { exec = [\"socat\", \"-d\", \"-d\", \"-t\", \"60\", \"STDIN!!STDOUT,shut-close\", \"TCP:%s\"] }\n", engine.Addr()) +
		"[[link]]\nname = \"missing\"\nto = { exec = [\"no-such-program-of-anybody\"] }\n" +
		"[[link]]\nname = \"absent\"\nkind = \"raw\"\nto = \"unix:/run/no-such-socket-of-anybody.sock\"\n"
	program := configuredLinux(ctx, t, s, text)
	b := runs(t, program("run"))
	socket := in(s, stage.Debian, runDir+"/command.sock")
	var all map[string]bridgeStatus
	of := func(name string) bridgeStatus { return all[stage.Debian+" "+runDir+"/"+name+".sock"] }
	until(ctx, t, "the links to be served", func() bool { // without a connection, which would start a command
		all = bridges(t, program("status", "--json"))
		return of("command").State == "ready" && of("command").Works && of("missing").State == "ready" && of("absent").State == "ready"
	})
	for name, want := range map[string]string{"missing": "there is no such program", "absent": "there is no such place"} {
		if got := of(name); got.Works || !strings.Contains(got.EngineError, want) || len(got.Hints) == 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if o := said(t, program("status")); o.code != 1 || !strings.Contains(o.stdout, "works, since") || !strings.Contains(o.stdout, "what it leads to can't be reached: dial unix:") {
		t.Errorf("status: %+v", o)
	}
	halfclose.Test(t, func(t *testing.T) (client, served halfclose.Conn) { return through(t, engine, socket) })
	until(ctx, t, "all commands to end", func() bool { return len(children(t, b.cmd.Process.Pid, "socat")) == 0 })
	if o := said(t, program("logs", "--distro", stage.Debian)); !strings.Contains(o.stdout, `msg="command of link command" said=`) {
		t.Errorf("the log has no word of it: %+v", o)
	}
	if o := said(t, program("stop")); o.code != 0 {
		t.Errorf("stop: %+v", o)
	}
	b.endsWell(t)
}

// The docker command's own way to an engine as the other end, both halves on Linux, under everyday
// cases: output behind the end of input, an upgraded connection, a client that is killed.
func TestDockerThroughACommand(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onStage(t)
	text := fmt.Sprintf("[[link]]\nname = \"stdio\"\nkind = \"docker\"\nto = { exec = [\"docker\", \"-H\", \"unix://%s\", \"system\", \"dial-stdio\"] }\n", s.Docker.Socket)
	program := configuredLinux(ctx, t, s, text)
	b := runs(t, program("run"))
	until(ctx, t, "the engine to answer", func() bool {
		return bridges(t, program("status", "--json"))[stage.Debian+" "+runDir+"/stdio.sock"].Works
	})
	r := route{name: "stdio", host: "unix://" + runDir + "/stdio.sock"}
	contains(t, r.must(ctx, t, s, "version"), "Server:")
	for _, do := range []play{runExitCodes, runOutputAfterInput, attachUpgraded, killedInMidDownload(time.Minute)} {
		do(ctx, t, s, r)
	}
	until(ctx, t, "all commands to end", func() bool { return len(children(t, b.cmd.Process.Pid, "docker")) == 0 })
	if o := said(t, program("stop")); o.code != 0 {
		t.Errorf("stop: %+v", o)
	}
	b.endsWell(t)
}

// children are the processes of this name that a process has started, ended ones that nobody has
// reaped included.
func children(t *testing.T, parent int, name string) (list []string) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range stats {
		stat, _ := os.ReadFile(file) // it may have ended
		i := bytes.LastIndexByte(stat, ')')
		if i < 0 || !bytes.Contains(stat[:i], []byte("("+name)) {
			continue
		}
		if fields := bytes.Fields(stat[i+1:]); len(fields) > 1 && string(fields[1]) == fmt.Sprint(parent) {
			list = append(list, string(stat[:i+1]))
		}
	}
	return list
}

// dialStdio is the command of a link to the engine, a Windows program.
func dialStdio(ctx context.Context, t *testing.T) string {
	t.Helper()
	exe, err := lab.Build(ctx, "windows", "./test/bench/dialstdio")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("{ exec = [%q, %q] }", "Z:"+strings.ReplaceAll(exe, "/", `\`), stage.EnginePipe)
}

// command uses the engine through commands of Windows, and wants none to be left.
func (c *configuredStage) command(ctx context.Context, t *testing.T) {
	t.Helper()
	r := route{name: "command", distro: two, host: "unix://" + runDir + "/command.sock"}
	o := r.run(ctx, t, c.s, strings.NewReader("input\n"), once(c.s.Docker.Image, []string{"-i"}, "cat; sleep 1; echo late; exit 3")...)
	if o.stdout != "input\nlate\n" || o.code != 3 {
		t.Errorf("through a command: %+v", o)
	}
	until(ctx, t, "the commands to end", func() bool {
		return !strings.Contains(strings.Join(c.s.Wine.Processes(), "\n"), "dialstdio.exe")
	})
}
