package wsl_test

import (
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// Distros whose names WSL would not give, and shows all the same: a blank, and characters of two units of
// UTF-16. Columns are in units.
func TestDistrosWithOddNames(t *testing.T) {
	c := clients(t)[0]
	c.vm = machine(t, 0, wsl.Distro{Name: "Ubuntu 22", Kind: wsl.Busybox, Default: true},
		wsl.Distro{Name: "Ubuntu", Kind: wsl.Busybox, Stopped: true}, wsl.Distro{Name: "Übuntu🐧", Kind: wsl.Busybox, Stopped: true})
	const table = "  NAME         STATE           VERSION\r\n" +
		"* Ubuntu 22    Running         2\r\n" +
		"  Ubuntu       Stopped         2\r\n" +
		"  Übuntu🐧     Stopped         2\r\n"
	for line, want := range map[string]string{
		"-l -v":           table,
		"-l -q":           "Ubuntu 22\r\nUbuntu\r\nÜbuntu🐧\r\n",
		"-l --running -q": "Ubuntu 22\r\n",
		"-e echo here":    "here\n",
		`-d "Ubuntu 22" -u root --cd / -e echo here`: notFound, // quotes belong to a name
	} {
		if r := c.raw(t, "wsl.exe "+line).run(t, ""); r.stdout != want {
			t.Errorf("%s:\n%s\nwant\n%s", line, r.stdout, want)
		}
	}
}

// The stub that asks for a key says why and does not end, for a minute or until its input does.
func TestStubThatAsksForAKey(t *testing.T) {
	c := clients(t)[0]
	for kind, text := range map[string]string{"asks": "is not installed", "update": "must be updated", "corrupted": "appears to be corrupted"} {
		s := c.command(t, "-l", "-v")
		s.cmd.Env = append(s.cmd.Env, "WSL_STANDIN_STUB="+kind)
		p := s.start(t)
		want, all := utf16le("This prompt will time out in 60 seconds.\r\n"), ""
		for b := make([]byte, 512); !strings.HasSuffix(all, want); {
			n, err := p.stdout.Read(b)
			if err != nil {
				t.Fatalf("%s: %v after %q", kind, err, all)
			}
			all += string(b[:n])
		}
		if !strings.Contains(all, utf16le(text)) {
			t.Errorf("%s: %q", kind, all)
		}
		if err := p.cmd.Process.Signal(syscall.Signal(0)); err != nil {
			t.Errorf("%s has ended: %v", kind, err)
		}
		p.stdin.Close()
		if rest, err := io.ReadAll(p.stdout); len(rest) > 0 || err != nil {
			t.Errorf("%s: %q, %v", kind, rest, err)
		}
		if r := p.wait(t); r.code != own {
			t.Errorf("%s: %d", kind, r.code)
		}
	}
}

// What a distro has in its wsl.conf beside the place of its drives.
func TestConf(t *testing.T) {
	const conf = "[user] # mine\r\ndefault=jane # me\ndefault=bob\n"
	vm := machine(t, 0, wsl.Distro{Name: "D", Kind: wsl.Busybox, Default: true, Conf: conf})
	got, err := os.ReadFile(vm.Path("D", "/etc/wsl.conf"))
	if want := "[automount]\nroot = /mnt/\n" + conf; err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

// Drive C in each of the shapes that WSL has given it, as the kernel writes it: ten fields at least, blanks as \040 in
// the root, and a link for each share that is named by a GUID alone.
func TestDriveCInEveryShape(t *testing.T) {
	for _, shape := range wsl.Shapes {
		list, links := wsl.DriveC(shape)
		lines := strings.Split(strings.TrimSuffix(list, "\n"), "\n")
		if len(lines) != 3 {
			t.Fatalf("%s: %q", shape, list)
		}
		for point, line := range map[string]string{"/mnt/c": lines[1], "/mnt/ab": lines[2]} {
			fields := strings.Fields(line)
			if len(fields) != 10 && shape == wsl.Plan9 || len(fields) < 9 || fields[4] != point {
				t.Errorf("%s: %q", shape, line)
			}
			root, kind := strings.Split(fields[3], "/"), fields[7]
			if named := links[root[1]] != ""; named != (shape == wsl.VirtioShares) || (kind == "9p") != (shape == wsl.Plan9) {
				t.Errorf("%s: %q with %q", shape, line, links)
			}
		}
		if !strings.Contains(lines[2], `/a\040b:c /mnt/ab `) {
			t.Errorf("%s: %q", shape, lines[2])
		}
	}
}
