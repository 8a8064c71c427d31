package e2e

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// What can't work says what is wrong and what to run, with exit code 1. More of
// it is in the stories of cmd/docker-wsl-bridge, which need no WSL.

// A Windows without any wsl.exe.
func TestNoWSL(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onWindows(t)
	bare, err := lab.OpenWine(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bare.Close(); err != nil {
			t.Error(err)
		}
	})
	none := *s
	none.Wine = bare
	said := upFails(ctx, t, &none, "--kind", "raw", "--pipe", "x")
	contains(t, said, "there is no wsl.exe", "run: wsl --install\n")
}

// The wsl.exe that Windows has where WSL is not installed.
func TestInboxStub(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onWindows(t)
	for kind, want := range map[string][]string{
		"text":      {"WSL is not installed", "run: wsl --install\n"},
		"usage":     {"WSL is not installed", "run: wsl --install\n"},
		"asks":      {"WSL is not installed", "run: wsl --install\n"}, // for a key
		"corrupted": {"the installation of WSL is broken", "run: wsl --update\n"},
	} {
		cmd := s.Windows(ctx, "up", "--pipe", stage.EnginePipe)
		cmd.Env = append(cmd.Env, "WSL_STANDIN_STUB="+kind)
		contains(t, fails(t, cmd), want...)
	}
}

// withDistros is the stage with a VM that has these distros and no others.
func withDistros(t *testing.T, distros ...wsl.Distro) (context.Context, *stage.Stage) {
	t.Helper()
	ctx, all, _ := onStage(t)
	s, err := all.WithVM(ctx, wsl.Options{Dir: t.TempDir(), Distros: distros})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.VM.Close(); err != nil {
			t.Error(err)
		}
	})
	return ctx, s
}

// A WSL without any distro is told, with the command that installs one.
func TestNoDistro(t *testing.T) {
	t.Parallel()
	ctx, s := withDistros(t)
	contains(t, upFails(ctx, t, s, "--pipe", s.EngineAt()), "WSL has none", "run: wsl --install -d Debian\n")
}

// A distro of WSL 1, the default one or one that is named, is refused with a hint.
func TestDistroOfWSL1(t *testing.T) {
	t.Parallel()
	old, new := stage.LikeDebian("Old"), stage.LikeDebian("New")
	old.Version, new.Default = 1, false
	ctx, s := withDistros(t, old, new)
	for _, args := range [][]string{nil, {"--distro", "Old"}, {"--distro", "old"}} { // the default one; by name
		said := upFails(ctx, t, s, append(args, "--pipe", s.EngineAt())...)
		contains(t, said, "use distro Old: it is a distro of WSL 1", "run: wsl --set-version Old 2\n")
	}
	b := serve(ctx, t, s, "--pipe", s.EngineAt(), "--distro", "new")
	if b.Socket.Distro != "New" {
		t.Errorf("it serves %s", b.Socket.Distro)
	}
}

// An engine whose pipe lets nobody in is told as that.
func TestEngineRefuses(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onWindows(t)
	front, err := s.Wine.StartFront(ctx, map[string]string{"refusing": "denied"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { front.Close() })
	contains(t, upFails(ctx, t, s, "--pipe", "refusing", "--socket", runDir+"/refused.sock"), "access denied", `"group": "docker-users"`, "net localgroup docker-users")
}

// The place for the agent's file, or for the socket, is none: it can't be
// written, allows no programs, is full.
func TestNoPlaceInTheDistro(t *testing.T) {
	t.Parallel()
	ctx, w := openWard(t)
	mount := func(place, options string) (undo func()) {
		t.Helper()
		for _, argv := range [][]string{{"mkdir", "-p", place}, {"mount", "-t", "tmpfs", "-o", options, "none", place}} {
			if out, err := w.s.VM.Command(ctx, w.distro, "root", argv...).CombinedOutput(); err != nil {
				t.Fatalf("%q: %v: %s", argv, err, out)
			}
		}
		return func() {
			if out, err := w.s.VM.Command(ctx, w.distro, "root", "umount", place).CombinedOutput(); err != nil {
				t.Fatalf("umount: %v: %s", err, out)
			}
		}
	}
	for _, c := range []struct{ options, says, hint string }{
		{"ro", "read-only", "run: wsl --terminate " + w.distro},
		{"noexec,mode=755", "allows no programs (noexec)", "mount -o remount,exec"},
		{"size=64k,mode=755", "no space left", "run: wsl --distro " + w.distro + " df -h /run"},
	} {
		undo := mount(runDir, c.options)
		contains(t, upFails(ctx, t, w.s, "--pipe", w.s.EngineAt()), c.says, c.hint)
		undo()
	}
	const elsewhere = "/srv/sockets"
	for options, says := range map[string]string{"ro": "read-only", "mode=777": "others could replace the socket"} {
		undo := mount(elsewhere, options)
		contains(t, upFails(ctx, t, w.s, "--pipe", w.s.EngineAt(), "--socket", elsewhere+"/windows.sock"), says, "run: docker-wsl-bridge up --socket ")
		undo()
	}
	absent(t, w.s, w.distro, wardSocket)
}

// agentFile replaces the file that is started as the agent.
func (w *ward) agentFile(ctx context.Context, t *testing.T, change func(agent []byte) []byte) {
	t.Helper()
	b, err := w.s.Up(ctx, w.command(ctx))
	if err != nil {
		t.Fatal(err)
	}
	agent, _ := agentOf(t, b)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	file := in(w.s, w.distro, agent)
	was, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, change(was), 0o755); err != nil {
		t.Fatal(err)
	}
}

// An agent of another build in the place of ours is not started a session with.
func TestAgentOfAnotherBuild(t *testing.T) {
	t.Parallel()
	ctx, w := openWard(t)
	w.agentFile(ctx, t, func(agent []byte) []byte { return append(agent, 0) })
	said := upFails(ctx, t, w.s, "--pipe", w.s.EngineAt())
	contains(t, said, "greet agent: it is build ", "this program brought ", "run: wsl --distro "+w.distro+" --user root rm -r "+runDir)
	absent(t, w.s, w.distro, wardSocket)
}

// An agent that dies as it starts is told with its exit code.
func TestAgentThatDiesAtOnce(t *testing.T) {
	t.Parallel()
	ctx, w := openWard(t)
	w.agentFile(ctx, t, func([]byte) []byte { return []byte("#!/bin/sh\nkill -9 $$\n") })
	said := upFails(ctx, t, w.s, "--pipe", w.s.EngineAt())
	contains(t, said, "start agent in "+w.distro, "exit code 9", "run: wsl --distro "+w.distro)
}

// What wsl.exe says instead of the agent's hello is shown, decoded and disarmed,
// whether the agent comes behind it or not.
func TestNoiseBeforeTheHello(t *testing.T) {
	t.Parallel()
	ctx, w := openWard(t)
	const words = "The update \x1b[2Jcouldn\u2019t be installed.\r\n"
	for name, noise := range map[string][]byte{"UTF-8": []byte(words), "UTF-16LE": wsl.UTF16(words)} {
		if err := w.s.VM.SetFaults(wsl.Faults{Program: "agent-", Stdout: noise}); err != nil {
			t.Fatal(err)
		}
		said := upFails(ctx, t, w.s, "--pipe", w.s.EngineAt())
		contains(t, said, "The update \ufffd[2Jcouldn\u2019t be installed.", "hint: ")
		if strings.ContainsRune(said, '\x1b') {
			t.Errorf("%s: %q", name, said)
		}
		absent(t, w.s, w.distro, wardSocket)
	}
	// Warnings on stderr are no noise.
	if err := w.s.VM.SetFaults(wsl.Faults{Program: "agent-", Stderr: wsl.UTF16("wsl: A localhost proxy was detected.\r\n")}); err != nil {
		t.Fatal(err)
	}
	w.up(ctx, t)
	w.works(ctx, t)
}

// A wsl.exe that says nothing and does not end is given up after a minute.
func TestWslThatNeverAnswers(t *testing.T) {
	t.Parallel()
	ctx, w := openWard(t)
	if err := w.s.VM.SetFaults(wsl.Faults{Silent: true}); err != nil {
		t.Fatal(err)
	}
	const bound = 90 * time.Second
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	said := fails(t, w.s.Host(ctx, "up", "--pipe", w.s.EngineAt(), "--distro", w.distro))
	contains(t, said, "start agent in "+w.distro, "nothing came", "run: wsl --shutdown\n")
	noneLeft(t, "beside the engine", w.host)
}

// A distro that takes its time is waited for, and a person sees for what.
func TestSlowStart(t *testing.T) {
	t.Parallel()
	ctx, w := openWard(t)
	slow := 5 * time.Second
	if long() {
		slow = 30 * time.Second
	}
	if err := w.s.VM.SetFaults(wsl.Faults{Slow: slow}); err != nil {
		t.Fatal(err)
	}
	console, err := w.s.Wine.Console(w.s.Host(context.WithoutCancel(ctx), "up", "--pipe", w.s.EngineAt()))
	if err != nil {
		t.Fatal(err)
	}
	w.b = &stage.Bridge{Console: console, Host: "unix://" + wardSocket}
	t.Cleanup(func() {
		if err := w.b.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.b.Await(ctx, "starting the agent in "+w.distro+" ..."); err != nil {
		t.Fatal(err)
	}
	if err := w.b.Await(ctx, "Ctrl-C ends the bridge."); err != nil {
		t.Fatal(err)
	}
	w.works(ctx, t)
}

// Faults of WSL that must not be noticed.
func TestFaultsThatNobodyNotices(t *testing.T) {
	for name, fault := range map[string]wsl.Faults{
		"flood":      {Flood: 8 << 20},
		"end as EIO": {EIO: true},
		"left over":  {LeftOver: true},
		"bytewise":   {Chunk: 1},
	} {
		t.Run(strings.ReplaceAll(name, " ", ""), func(t *testing.T) {
			t.Parallel()
			open := openWard
			if fault.LeftOver {
				open = openWindowsWard // wslhost.exe is of Windows; on Linux a program's output is open as long as anybody has it
			}
			ctx, w := open(t)
			w.agentFile(ctx, t, func(agent []byte) []byte { return agent }) // it is there
			fault.Program = "agent-"
			if err := w.s.VM.SetFaults(fault); err != nil {
				t.Fatal(err)
			}
			w.up(ctx, t)
			o := w.route().run(ctx, t, w.s, strings.NewReader("in"), once(w.s.Docker.Image, []string{"-i"}, "cat; seq 1 2000; exit 3")...)
			if o.code != 3 || !strings.HasPrefix(o.stdout, "in1\n2\n") || !strings.HasSuffix(o.stdout, "\n2000\n") {
				t.Errorf("exit code %d, %d bytes", o.code, len(o.stdout))
			}
			if err := w.b.Close(); err != nil {
				t.Error(err)
			}
			absent(t, w.s, w.distro, wardSocket)
		})
	}
}
