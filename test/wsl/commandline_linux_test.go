package wsl_test

import (
	"strings"
	"testing"
)

const (
	notFound = "There is no distribution with the supplied name.\r\nError code: Wsl/Service/WSL_E_DISTRO_NOT_FOUND\r\n"
	badParam = "The parameter is incorrect. \r\nError code: Wsl/E_INVALIDARG\r\n"
	own      = 0xFFFFFFFF // the exit code of wsl.exe's own errors
)

// The raw command line. No quotes are stripped for -d and -u, they are
// for --cd; it stops at -e, --exec and --; an unknown option is a text on
// standard output and -1.
func TestCommandLineIsReadAsWSLDoes(t *testing.T) {
	cases := []struct {
		name, line, stdout string
		code               uint32
	}{
		{"distro by name", `wsl.exe -d Debian -e echo hi`, "hi\n", 0},
		{"distro in any case of letters", `wsl.exe -d dEBIAN -e echo hi`, "hi\n", 0},
		{"long options", `wsl.exe --distribution Debian --user root --exec id -un`, "root\n", 0},
		{"default distro", `wsl.exe -e sh -c "echo $WSL_DISTRO_NAME"`, debian + "\n", 0},
		{"program name in quotes", `"C:\Program Files\WSL\wsl.exe" -e echo hi`, "hi\n", 0},
		{"tabs between words", "wsl.exe\t-d\tDebian\t-e\techo hi", "hi\n", 0},
		{"quoted distro is another name", `wsl.exe -d "Debian" -e true`, notFound, own},
		{"quoted option is a command", `wsl.exe -d Debian "echo" hi`, "hi\n", 0},
		{"cd in quotes", `wsl.exe --cd "/usr/share" -e pwd`, "/usr/share\n", 0},
		{"cd with a blank", `wsl.exe --cd "/run/a b" -e pwd`, "/run/a b\n", 0},
		{"cd without quotes", `wsl.exe --cd /usr -e pwd`, "/usr\n", 0},
		{"cd relative", `wsl.exe --cd usr -e pwd`, badParam, own},
		{"home", `wsl.exe ~ -e pwd`, "/home/alice\n", 0},
		{"options after -e are the program's", `wsl.exe -e echo -d nope --cd x`, "-d nope --cd x\n", 0},
		{"options after -- are the shell's", `wsl.exe -- echo -d nope`, "-d nope\n", 0},
		{"unknown option", `wsl.exe -d Debian --frob -e true`, "Invalid command line argument: --frob\r\nPlease use 'wsl.exe --help' to get a list of supported arguments.\r\n", own},
		{"unknown distro before unknown option", `wsl.exe -d nope --frob`, notFound, own},
		{"distro twice", `wsl.exe -d Debian -d Debian`, "The distribution name has already been set.\r\n", own},
		{"distro missing", `wsl.exe -d`, "Argument --distribution is missing a required parameter.\r\n", own},
		{"nothing after -e", `wsl.exe -e`, badParam, own},
		{"unknown id", `wsl.exe {01234567-89ab-cdef-0123-456789ABCDEF} -e true`, notFound, own},
		{"wrong shell type", `wsl.exe --shell-type frob -e true`, badParam, own},
	}
	each(t, func(t *testing.T, c client) {
		if r := c.do(t, in(debian, "mkdir", "-p", "/run/a b")...); r.code != 0 {
			t.Fatal(r.stderr)
		}
		for _, test := range cases {
			t.Run(test.name, func(t *testing.T) {
				r := c.raw(t, test.line).run(t, "")
				if r.stdout != test.stdout || r.code != test.code {
					t.Errorf("%s\ngot  %q, %d\nwant %q, %d (stderr %q)", test.line, r.stdout, r.code, test.stdout, test.code, r.stderr)
				}
			})
		}
	})
}

// The argument list of a Go caller: it puts quotes where a blank is,
// and the stand-in sees the same raw text as the real one.
func TestArgumentListOfAGoCaller(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		if r := c.do(t, "-d", "no such", "-e", "true"); r.stdout != notFound {
			t.Errorf("a name with a blank: %q", r.stdout)
		}
		if r := c.do(t, "-d", debian, "--cd", "/run/x y", "-e", "pwd"); !strings.Contains(r.stderr, "chdir(/run/x y) failed 2") {
			t.Errorf("--cd with a blank: %q", r.stderr)
		}
		for _, arg := range []string{"a b", `a"b`, `a\b`, `a\"b`, `a b\`, `\\a b\\`, "", "tab\there", `$HOME * ; 'q'`, "ü€"} {
			r := c.do(t, "-d", debian, "-e", "printf", "<%s>", arg)
			if r.stdout != "<"+arg+">" {
				t.Errorf("argument %q came as %q (%q)", arg, r.stdout, r.stderr)
			}
		}
	})
}

// With -e the arguments go to exec as they are, found by PATH, without a
// shell; the first token follows the rule for program names. Without -e the raw
// rest is one string for the user's shell.
func TestProgramsWithAndWithoutAShell(t *testing.T) {
	cases := []struct{ name, line, stdout string }{
		{"no shell", `wsl.exe -e echo $HOME * ; 'a  b'`, "$HOME * ; 'a b'\n"},
		{"Windows quoting", `wsl.exe -e printf [%s] "a  b" \"c\" d\\ e\\\"f`, `[a  b]["c"][d\\][e\"f]`},
		{"first token", `wsl.exe -e "/bin"/echo hi`, "hi\n"},
		{"shell", `wsl.exe echo "$HOME" 'a  b' \$x; echo $((1+1))`, "/home/alice a  b $x\n2\n"},
		{"shell name", `wsl.exe echo $0`, "/bin/bash\n"},
		{"login shell", `wsl.exe --shell-type login echo $0`, "-bash\n"},
		{"no shell by type", `wsl.exe --shell-type none echo $0`, "$0\n"},
	}
	each(t, func(t *testing.T, c client) {
		for _, test := range cases {
			t.Run(test.name, func(t *testing.T) {
				r := c.raw(t, test.line).run(t, "")
				if r.stdout != test.stdout || r.code != 0 {
					t.Errorf("%s\ngot  %q, %d\nwant %q (stderr %q)", test.line, r.stdout, r.code, test.stdout, r.stderr)
				}
			})
		}
		if r := c.raw(t, "wsl.exe").run(t, "echo $0"); r.stdout != "-bash\n" {
			t.Errorf("no command is a login shell: %q", r.stdout)
		}
	})
}
