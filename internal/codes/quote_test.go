package codes

import (
	"os"
	"os/exec"
	"testing"
)

// odd are values that shells do something with.
var odd = []string{
	"", "plain", "/run/a b'c$(id).sock", "a\"b", "`id`", "$HOME", "~", "~root/x", "*", "a;b&c|d", "a\\b", `ends\`, "-x", "a'b''c", "!x", "#x", "a=b", "{a,b}", "ä ö", "(x)", "%PATH%",
	"‘x’", "a\tb", "a\nb", "[a-z]", "<x>", "$(touch /nowhere)", "\\'", "é‛", "%self", "^x", "x,y", "@x", "A B (old)",
}

// What is printed for a shell means to that shell what it was.
func TestQuotedWordsMeanWhatTheyAre(t *testing.T) {
	for _, shell := range []struct {
		program string
		args    []string
		quote   func(string) string
	}{{"sh", []string{"-c"}, ShWord}, {"bash", []string{"-c"}, ShWord}, {"dash", []string{"-c"}, ShWord}, {"zsh", []string{"-c"}, ShWord}, {"busybox", []string{"sh", "-c"}, ShWord}, {"fish", []string{"-c"}, FishWord}} {
		if _, err := exec.LookPath(shell.program); err != nil {
			continue
		}
		for _, value := range odd {
			line := "printf %s " + shell.quote("x"+value) + "; printf %s -- " + shell.quote(value)
			cmd := exec.Command(shell.program, append(shell.args, line)...)
			cmd.Env = append(os.Environ(), "HOME=/tmp")
			if out, err := cmd.CombinedOutput(); err != nil || string(out) != "x"+value+"--"+value && string(out) != "x"+value+value {
				t.Errorf("%s %s: %q, %v", shell.program, line, out, err)
			}
		}
	}
}

// Words for Windows by the rules: PowerShell expands $ and ` between double quotes, cmd %, and to PowerShell
// the typographic apostrophes are apostrophes.
func TestWordsOfWindows(t *testing.T) {
	for value, want := range map[string]string{
		"Debian": "Debian", "Ubuntu-24.04": "Ubuntu-24.04", "/run/x.sock": "/run/x.sock", "My Distro": `"My Distro"`, "*": `"*"`, "": "''", "@x": `"@x"`, "a,b": `"a,b"`,
		"/run/a b'c$(id).sock": `'/run/a b''c$(id).sock'`, "a`b": "'a`b'", "50%": "'50%'", "o’hara": `"o’hara"`, "$o’hara": `'$o’’hara'`, `a"b`: `'a"b'`, "a&b": `"a&b"`, `C:\Program Files\x`: `"C:\Program Files\x"`,
		"a;b": `"a;b"`, "(x)": `"(x)"`, "ä": `"ä"`, `x\`: `'x\'`, "a@b": "a@b", "-x": "-x", "“x”": "'“x”'",
	} {
		if got := WindowsWord(value); got != want {
			t.Errorf("%s is %s, not %s", value, got, want)
		}
	}
	if got := PowerShellWord("a'b‘c"); got != "'a''b‘‘c'" {
		t.Error(got)
	}
	if got := TOMLWord(`unix:/a"b\c`); got != `"unix:/a\"b\\c"` {
		t.Error(got)
	}
}
