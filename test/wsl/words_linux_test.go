package wsl_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// wsl.exe's own messages are UTF-16LE without a byte order mark, with
// CRLF, on standard output; WSL_UTF8=1 makes them UTF-8. The exit code is
// 0xFFFFFFFF, of which a Linux caller sees 255.
func TestOwnWordsAreUTF16(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		for value, wide := range map[string]bool{"": true, "0": true, "true": true, "1": false} {
			s := c.command(t, "-d", "nope", "-e", "true")
			s.cmd.Env = append(s.cmd.Env, "WSL_UTF8="+value)
			r := s.run(t, "")
			want := notFound
			if wide {
				want = utf16le(notFound)
			}
			if r.stdout != want || r.stderr != "" {
				t.Errorf("WSL_UTF8=%s: %q, stderr %q", value, r.stdout, r.stderr)
			}
			if r.code != own || r.unix != 255 {
				t.Errorf("WSL_UTF8=%s: exit code %#x, here %d", value, r.code, r.unix)
			}
		}
	})
}

func utf16le(s string) string { return string(wsl.UTF16(s)) }

// What is not there. An unknown user is a line of the log on standard
// error and a text on standard output; an unknown program is a line of the log
// and exit code 1.
func TestNoSuchDistroUserOrProgram(t *testing.T) {
	user := regexp.MustCompile(`^<3>WSL \(\d+ - Relay\) ERROR: CreateProcessParseCommon:\d+: getpwnam\(nobody-here\) failed \d+\n$`)
	program := regexp.MustCompile(`^<3>WSL \(\d+ - Relay\) ERROR: CreateProcessCommon:\d+: execvpe\((.*)\) failed: (.*)\n$`)
	each(t, func(t *testing.T, c client) {
		r := c.do(t, "-d", debian, "-u", "nobody-here", "--cd", "/", "-e", "true")
		if r.stdout != "User not found.\r\nError code: Wsl/WSL_E_USER_NOT_FOUND\r\n" || r.code != own || !user.MatchString(r.stderr) {
			t.Errorf("unknown user: %q, %q, %#x", r.stdout, r.stderr, r.code)
		}
		if r := c.do(t, "-d", debian, "-u", "1000", "-e", "true"); r.code != own {
			t.Errorf("a number for a user: %#x", r.code)
		}
		for path, reason := range map[string]string{"no-such-program": "No such file or directory", "/no/such": "No such file or directory", "/etc/passwd": "Permission denied"} {
			r := c.do(t, in(debian, path, "argument")...)
			m := program.FindStringSubmatch(r.stderr)
			if r.code != 1 || r.stdout != "" || m == nil || m[1] != path || m[2] != reason {
				t.Errorf("run %s: %q, %q, %d", path, r.stdout, r.stderr, r.code)
			}
		}
	})
}

// An exit code passes as it is, but 67 and 87 become a text and -1; a
// signal shows as the raw wait status, not as 128+n.
func TestExitCodesPassButTwo(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		for _, code := range []uint32{0, 1, 3, 66, 68, 86, 88, 127, 128, 255} {
			if r := c.do(t, in(debian, "sh", "-c", fmt.Sprint("exit ", code))...); r.code != code || r.stdout != "" {
				t.Errorf("exit %d: got %d, %q", code, r.code, r.stdout)
			}
		}
		for code, text := range map[int]string{67: "WSL_E_USER_NOT_FOUND", 87: "WSL_E_TTY_LIMIT"} {
			r := c.do(t, in(debian, "sh", "-c", fmt.Sprint("echo output; exit ", code))...)
			if r.code != own || !strings.HasPrefix(r.stdout, "output\n") || !strings.Contains(r.stdout, text) {
				t.Errorf("exit %d: got %#x, %q", code, r.code, r.stdout)
			}
		}
		for signal, codes := range map[string][]uint32{"KILL": {9}, "TERM": {15}, "HUP": {1}, "PIPE": {13}, "SEGV": {11, 11 | 0x80}} {
			// Whether a core is written, which adds 0x80, is the machine's affair.
			r := c.do(t, in(debian, "sh", "-c", "cd /tmp; kill -"+signal+" $$")...)
			if !slices.Contains(codes, r.code) {
				t.Errorf("SIG%s: got %d, want one of %d", signal, r.code, codes)
			}
		}
	})
}

// A VM or distro that goes away is a 1 without a text.
func TestLostMachineIsExitCode1(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		p := c.command(t, in(busybox, "sh", "-c", "echo here; sleep 600")...).start(t)
		line(t, p.stdout)
		if r := c.do(t, "--terminate", busybox); r.code != 0 || r.stdout != "The operation completed successfully.\r\n" {
			t.Fatalf("terminate: %d, %q, %q", r.code, r.stdout, r.stderr)
		}
		if r := p.wait(t); r.code != 1 {
			t.Errorf("exit code %#x", r.code)
		}
		for name, f := range map[string]interface{ Read([]byte) (int, error) }{"stdout": p.stdout, "stderr": p.stderr} {
			if n, err := f.Read(make([]byte, 100)); n != 0 || err == nil {
				t.Errorf("%s: %d bytes, %v", name, n, err)
			}
		}
		if r := c.do(t, in(busybox, "echo", "again")...); r.stdout != "again\n" {
			t.Errorf("the next launch boots the distro: %q, %q", r.stdout, r.stderr)
		}
	})
}

// Where WSL is not installed, Windows has a wsl.exe that says so, or an
// older one that answers with its usage: on standard output, in UTF-16 whatever
// WSL_UTF8 says, and with an exit code that is not 0.
func TestWSLIsNotInstalled(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		for kind, text := range map[string]string{"text": "The Windows Subsystem for Linux is not installed.", "usage": "Usage: wsl.exe [Argument]"} {
			for _, args := range [][]string{{"--status"}, {"-l", "-q"}, in(debian, "true")} {
				s := c.command(t, args...)
				s.cmd.Env = append(s.cmd.Env, "WSL_STANDIN_STUB="+kind)
				if r := s.run(t, ""); !strings.Contains(r.stdout, utf16le(text)) || r.stderr != "" || r.code == 0 {
					t.Errorf("%s, %s: %q, %q, %d", kind, args, r.stdout, r.stderr, r.code)
				}
			}
		}
	})
}
