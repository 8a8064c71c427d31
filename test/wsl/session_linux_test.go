package wsl_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The child leads a session that has a terminal, even though all three
// of its standard files are pipes; nothing else is open; no signal is ignored or
// blocked.
func TestProgramLeadsASessionWithATerminal(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		script := `echo ready; read x; for f in /proc/$$/fd/*; do readlink $f; done; true </dev/tty && echo terminal; grep -E 'Sig(Blk|Ign)' /proc/self/status; umask`
		p := c.command(t, in(debian, "sh", "-c", script)...).start(t)
		line(t, p.stdout)
		pid := process(t, debian, "sh -c echo ready")
		f := stat(pid)
		if f[0] != f[4] || f[0] != f[5] || f[6] == "0" || f[7] != f[4] {
			t.Errorf("pid %s, group %s, session %s, terminal %s, its foreground %s", f[0], f[4], f[5], f[6], f[7])
		}
		for fd := range 3 {
			if file, err := os.Readlink(filepath.Join("/proc", f[0], "fd", strconv.Itoa(fd))); !strings.HasPrefix(file, "pipe:") {
				t.Errorf("descriptor %d is %s (%v)", fd, file, err)
			}
		}
		p.stdin.Write([]byte("\n"))
		for range 3 {
			line(t, p.stdout)
		}
		if got := line(t, p.stdout); got != "terminal" {
			t.Errorf("after three descriptors and opening /dev/tty: %q", got)
		}
		for _, set := range []string{"SigBlk:", "SigIgn:"} {
			// Signals 32 and 33 are the C library's own. Who starts us through make
			// may leave one ignored, and a Go program can't take that back.
			const libc = 1<<31 | 1<<32
			var signals uint64
			got := line(t, p.stdout)
			if _, err := fmt.Sscanf(got, set+"\t%x", &signals); err != nil || signals&^libc != 0 {
				t.Errorf("signals: %s (%v)", got, err)
			}
		}
		if got := line(t, p.stdout); got != "0022" {
			t.Errorf("umask %s", got)
		}
		p.wait(t)
	})
}

// The relay is the child's parent and reaps what the child leaves.
func TestRelayReapsWhatTheProgramLeaves(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		p := c.command(t, in(debian, "sh", "-c", `(sleep 601 & ); echo ready; read x`)...).start(t)
		line(t, p.stdout)
		relay := strconv.Itoa(process(t, debian, "Relay("))
		for _, name := range []string{"sh -c (sleep", "sleep 601"} {
			if parent := stat(process(t, debian, name))[3]; parent != relay {
				t.Errorf("parent of %s is %s, not the relay %s", name, parent, relay)
			}
		}
		p.cmd.Process.Kill()
		p.cmd.Wait()
		clear(t)
	})
}

// clear kills what a test has left in Debian and waits until it is empty.
func clear(t *testing.T) {
	t.Helper()
	for _, pid := range pids(t, debian) {
		if p, err := os.FindProcess(pid); err == nil {
			p.Kill()
		}
	}
	until(t, "an empty distro", func() bool { return len(pids(t, debian)) == 0 })
}

// The environment is the user's, WSL's own and what WSLENV lists, no more.
func TestEnvironmentIsTheUsers(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		s := c.command(t, "-d", debian, "--cd", "/", "-e", "env")
		s.cmd.Env = append(s.cmd.Env, "SECRET=1", "SHARED=two words", "BACK=3", "WSLENV=SHARED/u:BACK/w:UNSET/u")
		got := strings.Split(strings.TrimSpace(s.run(t, "").stdout), "\n")
		slices.Sort(got)
		for i, v := range got {
			if strings.HasPrefix(v, "WSL_INTEROP=/run/WSL/") {
				got[i] = "WSL_INTEROP=/run/WSL/"
			}
		}
		want := []string{
			"HOME=/home/alice", "LANG=C.UTF-8", "LOGNAME=alice", "NAME=standin",
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SHARED=two words", "SHELL=/bin/bash",
			"USER=alice", "WSLENV=SHARED/u:BACK/w:UNSET/u", "WSL_DISTRO_NAME=" + debian, "WSL_INTEROP=/run/WSL/",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if r := c.do(t, "-d", debian, "-e", "id"); r.stdout != "uid=1000(alice) gid=1000(alice) groups=1000(alice),100(users),998(docker)\n" {
			t.Errorf("default user: %q", r.stdout)
		}
		if r := c.do(t, "-d", busybox, "-e", "id"); r.stdout != "uid=0(root) gid=0(root) groups=0(root)\n" {
			t.Errorf("default user of a distro without one: %q", r.stdout)
		}
	})
}

// The working directory is what --cd says, in the distro's terms; a wrong
// one is a complaint and no failure; without one it is the user's home.
func TestWorkingDirectory(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		cases := []struct {
			line, dir string
			complains bool
		}{
			{`wsl.exe -d Debian --cd /usr/share -e pwd`, "/usr/share", false},
			{`wsl.exe -d Debian --cd ~ -e pwd`, "/home/alice", false},
			{`wsl.exe -d Debian -u root --cd ~ -e pwd`, "/root", false},
			{`wsl.exe -d Debian --cd "C:\Program Files" -e pwd`, "/mnt/c/Program Files", false},
			{`wsl.exe -d docker-desktop --cd c:/ -e pwd`, "/mnt/host/c", false},
			{`wsl.exe -d Debian --cd /no/such -e pwd`, "/", true},
		}
		for _, test := range cases {
			r := c.raw(t, test.line).run(t, "")
			if r.stdout != test.dir+"\n" || r.code != 0 || (r.stderr != "") != test.complains {
				t.Errorf("%s: %q, stderr %q, %d", test.line, r.stdout, r.stderr, r.code)
			}
		}
		if r := c.raw(t, `wsl.exe -d Debian --cd C:\nowhere -e pwd`).run(t, ""); r.code != own {
			t.Errorf("a Windows directory that is not there: %q, %d", r.stdout, r.code)
		}
		s := c.command(t, "-d", debian, "-e", "pwd")
		s.cmd.Dir = "/" // drive Z under Wine, nothing on Linux: neither has a place in the distro
		if r := s.run(t, ""); r.stdout != "/home/alice\n" {
			t.Errorf("no directory: %q", r.stdout)
		}
	})
}

// A program is found in the working directory, so one that lies on drive
// C can be run wherever a distro has its automount.
func TestProgramOnDriveC(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		file := filepath.Join(shared.dir, "c/Program Files/agent/run")
		if err := os.WriteFile(file, []byte("#!/bin/sh\necho $WSL_DISTRO_NAME $PWD\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		for distro, dir := range map[string]string{debian: "/mnt/c", busybox: "/mnt/host/c"} {
			r := c.do(t, "-d", distro, "-u", "root", "--cd", `C:\Program Files\agent`, "-e", "./run")
			if want := distro + " " + dir + "/Program Files/agent\n"; r.stdout != want {
				t.Errorf("got %q (%q), want %q", r.stdout, r.stderr, want)
			}
		}
	})
}
