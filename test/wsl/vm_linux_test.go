package wsl_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// Distros are root file systems of their own: what docker-desktop has is busybox
// and nothing else, what Debian has are the machine's programs.
func TestDistros(t *testing.T) {
	c := clients(t)[0]
	cases := []struct{ distro, script, want string }{
		{busybox, "ls /", "bin\ndev\netc\nlinuxrc\nmnt\nopt\nproc\nroot\nrun\nsbin\nsys\ntmp\nusr\nvar\n"},
		{busybox, "find / -xdev -type f -perm -1 -not -path '/mnt/*'", "/bin/busybox\n"},
		{busybox, "mount | grep -c ' /mnt/host/[cw]'", "2\n"},
		{busybox, "ls -d /lib /lib64 /usr/lib 2>/dev/null; grep -c docker /etc/group", "0\n"},
		{debian, "touch /usr/x 2>&1 | grep -o Read-only", "Read-only\n"},
		{debian, "grep docker /etc/group; ls -ld /home/alice | cut -d' ' -f1,3,4; hostname", "docker:x:998:alice\ndrwxr-xr-x alice alice\nstandin\n"},
		{debian, "cp /bin/true /run/x && /run/x && echo runs; cp /bin/true /run/lock/x; /run/lock/x 2>/dev/null || echo no; stat -c %a /run /mnt/wsl /tmp", "runs\nno\n755\n1777\n1777\n"},
		{debian, "ls -d /proc/1; cat /proc/1/comm", "/proc/1\nexe\n"},
		{debian, "echo x >/dev/null; head -c 2 /dev/zero | wc -c; head -c 2 /dev/urandom | wc -c", "2\n2\n"},
	}
	for _, test := range cases {
		if r := c.do(t, in(test.distro, "sh", "-c", test.script)...); r.stdout != test.want {
			t.Errorf("%s: %s\ngot  %q (%q)\nwant %q", test.distro, test.script, r.stdout, r.stderr, test.want)
		}
	}
}

// One tmpfs is shared by all distros, each at its own place; a socket there is
// reached from any of them, and from outside.
func TestSharedDirectory(t *testing.T) {
	c := clients(t)[0]
	l, err := net.Listen("unix", shared.vm.Path(debian, "/mnt/wsl/s.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("unix", shared.vm.Path(busybox, "/mnt/host/wsl/s.sock"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if r := c.do(t, in(busybox, "sh", "-c", "test -S /mnt/host/wsl/s.sock && echo socket")...); r.stdout != "socket\n" {
		t.Errorf("in the other distro: %q", r.stdout)
	}
}

// Command is a process of the distro with the test's own files as standard ones.
func TestCommand(t *testing.T) {
	lab.Need(t, lab.PartRoot, lab.PartBusybox)
	vm := shared.vm
	cmd := vm.Command(deadline(t), debian, "alice", "sh", "-c", "cat; id -un; id -Gn; echo $HOME $EXTRA $PWD $WSL_DISTRO_NAME; exit 7")
	cmd.Env = append(cmd.Env, "EXTRA=here")
	cmd.Stdin = strings.NewReader("input\n")
	out, err := cmd.Output()
	if want := "input\nalice\nalice users docker\n/home/alice here /home/alice Debian\n"; string(out) != want || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("got %q, %v", out, err)
	}
	cmd = vm.Command(deadline(t), busybox, "root", "sh", "-c", "kill -TERM $$")
	if err := cmd.Run(); cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("ended by a signal: %v", err)
	}
	if err := vm.Command(deadline(t), "nope", "root", "true").Run(); err == nil {
		t.Error("a command in a distro that is not there")
	}
}

// A command that is killed takes its process along; other signals reach it.
func TestCommandSignals(t *testing.T) {
	lab.Need(t, lab.PartRoot, lab.PartBusybox)
	for signal, code := range map[os.Signal]int{os.Kill: -1, syscall.SIGTERM: 5, os.Interrupt: 6} {
		cmd := shared.vm.Command(deadline(t), debian, "alice", "sh", "-c", `trap 'exit 5' TERM; trap 'exit 6' INT; echo ready; while :; do sleep 0.01; done`)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		bufio.NewReader(stdout).ReadString('\n')
		cmd.Process.Signal(signal)
		cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("after %v: %v", signal, cmd.ProcessState)
		}
		until(t, "an empty distro", func() bool { return len(pids(t, debian)) == 0 })
	}
}

// The clients that later tests need run in the Debian distro.
func TestMachinePrograms(t *testing.T) {
	lab.Need(t, lab.PartRoot, lab.PartBusybox, lab.PartDocker)
	cmd := shared.vm.Command(deadline(t), debian, "alice", "docker", "version", "--format", "{{.Client.Os}}")
	out, err := cmd.CombinedOutput()
	// Without an engine it prints the client's half and fails.
	if !strings.Contains(string(out), "linux") {
		t.Errorf("docker: %s (%v)", out, err)
	}
}

// Another engine's docker command is found before the machine's, by the clients and by what wsl.exe starts.
func TestLocalProgramsComeFirst(t *testing.T) {
	lab.Need(t, lab.PartRoot, lab.PartBusybox)
	local := t.TempDir()
	errs := errors.Join(os.Chmod(filepath.Dir(local), 0o755), os.WriteFile(filepath.Join(local, "docker"), []byte("#!/bin/sh\necho the local one\n"), 0o755))
	vm, err := wsl.Start(deadline(t), wsl.Options{
		Dir: filepath.Join(t.TempDir(), "vm"), Program: shared.program, Local: local, Distros: distros, Stderr: os.Stderr,
	})
	if err := errors.Join(errs, err); err != nil {
		t.Fatal(err)
	}
	out, err := vm.Command(deadline(t), debian, "alice", "docker").CombinedOutput()
	if err := errors.Join(err, vm.Close()); err != nil || string(out) != "the local one\n" {
		t.Errorf("%s (%v)", out, err)
	}
}

// Pids names every process but init, also what a killed wsl.exe has left.
func TestPids(t *testing.T) {
	c := clients(t)[0]
	p := c.command(t, in(debian, "sh", "-c", "echo ready; sleep 604; true")...).start(t)
	line(t, p.stdout)
	var names []string
	until(t, "three processes", func() bool {
		names = nil
		for _, pid := range pids(t, debian) {
			names = append(names, wsl.ProcessName(pid))
		}
		return len(names) == 3
	})
	text := strings.Join(names, "\n")
	for _, want := range []string{"Relay(", "sh -c echo ready", "sleep 604"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	p.cmd.Process.Kill()
	p.cmd.Wait()
	clear(t)
}

// Strangers on loopback get nothing.
func TestToken(t *testing.T) {
	c := clients(t)[0]
	s := c.command(t, in(debian, "true")...)
	address, _, _ := strings.Cut(c.vm.Env()[0], "/")
	s.cmd.Env = append(s.cmd.Env, address+"/"+strings.Repeat("0", 32))
	if r := s.run(t, ""); r.code != own || r.stdout != "" {
		t.Errorf("with a wrong token: %d, %q, %q", r.code, r.stdout, r.stderr)
	}
}

// Close ends every process, also those that ignore everything, and leaves no
// mount; the files can be removed.
func TestCloseLeavesNothing(t *testing.T) {
	lab.Need(t, lab.PartRoot, lab.PartBusybox)
	dir := filepath.Join(t.TempDir(), "vm")
	started := time.Now()
	vm, err := wsl.Start(deadline(t), wsl.Options{Dir: dir, Program: shared.program, Distros: distros, Stderr: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("two distros were up after %v", time.Since(started).Round(time.Millisecond))
	cmd := vm.Command(deadline(t), debian, "root", "sh", "-c", "trap '' HUP TERM INT; (sleep 605 &); echo ready; sleep 605")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	bufio.NewReader(stdout).ReadString('\n')
	inside, err := vm.Pids(debian)
	if err != nil || len(inside) < 2 {
		t.Fatal(inside, err)
	}
	started = time.Now()
	if err := vm.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("they were gone %v after Close", time.Since(started).Round(time.Millisecond))
	cmd.Wait()
	for _, pid := range inside {
		if alive(pid) {
			t.Errorf("%s lives on", wsl.ProcessName(pid))
		}
	}
	if mounts, _ := os.ReadFile("/proc/self/mountinfo"); bytes.Contains(mounts, []byte(dir)) {
		t.Errorf("mounts are left:\n%s", mounts)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}

// The VM and all in it die with the process that started it, however that ends.
func TestDiesWithParent(t *testing.T) {
	lab.Need(t, lab.PartRoot, lab.PartBusybox)
	cmd := exec.CommandContext(deadline(t), os.Args[0])
	cmd.Env = append(os.Environ(), "STANDIN_PARENT="+t.TempDir(), "STANDIN_PROGRAM="+shared.program)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var list []int
	for text := range strings.FieldsSeq(line(t, stdout)) {
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("the parent said %q", text)
		}
		list = append(list, pid)
	}
	cmd.Process.Kill()
	cmd.Wait()
	until(t, "the end of all", func() bool {
		for _, pid := range list {
			if alive(pid) {
				return false
			}
		}
		return true
	})
}

// parent starts a VM, says which processes it has, and waits to be killed.
func parent(dir, program string) {
	vm, err := wsl.Start(context.Background(), wsl.Options{Dir: dir, Program: program, Distros: distros, Stderr: os.Stderr})
	if err != nil {
		fmt.Println(err)
		return
	}
	cmd := vm.Command(context.Background(), debian, "root", "sleep", "606")
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		return
	}
	var list []int
	for len(list) == 0 {
		list, _ = vm.Pids(debian)
	}
	fmt.Println(strings.Trim(fmt.Sprint(append(list, cmd.Process.Pid)), "[]"))
	cmd.Wait()
}

// How quick it is. Everything else here is on the path of every other test.
func TestSpeed(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		const launches, size = 10, 20 << 20
		started := time.Now()
		for range launches {
			if r := c.do(t, in(debian, "true")...); r.code != 0 {
				t.Fatal(r)
			}
		}
		t.Logf("a launch of true takes %v", (time.Since(started) / launches).Round(100*time.Microsecond))
		for _, test := range []struct{ name, input, script string }{
			{"in", strings.Repeat("x", size), "cat >/dev/null"},
			{"out", "", fmt.Sprint("head -c ", size, " /dev/zero")},
			{"in and out through cat", strings.Repeat("x", size), "cat"},
		} {
			s := c.command(t, in(debian, "sh", "-c", test.script)...)
			s.cmd.Stdin, s.cmd.Stdout = strings.NewReader(test.input), writerOnly{io.Discard}
			started := time.Now()
			if err := s.cmd.Run(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %.0f MB/s", test.name, size/1e6/time.Since(started).Seconds())
		}
	})
}

// writerOnly hides that a writer is a file, so that bytes come through a pipe.
type writerOnly struct{ io.Writer }
