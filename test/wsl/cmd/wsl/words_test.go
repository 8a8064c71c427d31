package main

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCommandLineToArgv(t *testing.T) {
	cases := map[string][]string{
		``:                  nil,
		`a`:                 {"a"},
		`a b	c`:             {"a", "b", "c"},
		`a\b\\ "c d"`:       {`a\b\\`, "c d"},
		`"a b"c d`:          {"a bc", "d"},
		`a\"b c`:            {`a\b c`}, // first token: the backslash means nothing, the quote opens
		`p a\"b`:            {"p", `a"b`},
		`p a\\"b c"`:        {"p", `a\b c`},
		`p a\\\"b c`:        {"p", `a\"b`, "c"},
		`p "a\\" b`:         {"p", `a\`, "b"},
		`p "" b`:            {"p", "", "b"},
		`p "a""b" c`:        {"p", `a"b c`},
		`p "a"""b c`:        {"p", `a"b c`}, // the third mark opens again
		`p 'a b'`:           {"p", "'a", "b'"},
		`p "unclosed quote`: {"p", "unclosed quote"},
	}
	for line, want := range cases {
		if got := commandLineToArgv(line); !slices.Equal(got, want) {
			t.Errorf("%s\ngot  %q\nwant %q", line, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	c, fault := parse(`wsl.exe -d Ubuntu-22.04 -u root --cd / -e /run/x/agent --flag "a b"`)
	if fault != "" || c.distro != "Ubuntu-22.04" || c.user != "root" || c.cwd != "/" || !slices.Equal(c.arguments, []string{"/run/x/agent", "--flag", "a b"}) {
		t.Errorf("%+v, %q", c, fault)
	}
	if c, fault := parse(`wsl.exe --cd "C:\a b" "-d" x`); fault != "" || c.cwd != `C:\a b` || c.rest != `"-d" x` || !c.useShell() {
		t.Errorf("%+v, %q", c, fault)
	}
}

// Whatever the line is, there is an answer.
func FuzzParse(f *testing.F) {
	f.Add(`wsl.exe -d a -u b --cd "c d" -e e "f g"`)
	f.Add(`"wsl.exe" -l -q`)
	f.Add(`wsl.exe --shell-type none {01234567-89ab-cdef-0123-456789ABCDEF} ~ \"`)
	f.Fuzz(func(t *testing.T, line string) {
		c, fault := parse(line)
		if fault == "" && c.op == "launch" && !c.useShell() && len(c.arguments) == 0 {
			t.Errorf("%q: nothing to run and no fault", line)
		}
		for _, arg := range commandLineToArgv(line) {
			if utf8.ValidString(line) && !utf8.ValidString(arg) {
				t.Errorf("%q: broken characters in %q", line, arg)
			}
		}
		if strings.Count(skipProgram(line), "") > strings.Count(line, "") {
			t.Errorf("%q grew", line)
		}
	})
}
