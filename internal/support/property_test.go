package support

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// generated is a name of one to three words that no other text has, with what names have in between.
func generated(r *rand.Rand) string {
	syllables := []string{"qa", "zu", "xo", "vy", "jü", "quo", "zé", "Wx", "ßa", "kø", "Ży", "q7"}
	var words []string
	for range 1 + r.IntN(3) {
		word := ""
		for range 2 + r.IntN(3) {
			word += syllables[r.IntN(len(syllables))]
		}
		words = append(words, word)
	}
	between := []string{" ", "'", ", ", ".", "-", "_", " ", "  "}
	name := words[0]
	for _, w := range words[1:] {
		name += between[r.IntN(len(between))] + w
	}
	switch r.IntN(4) {
	case 0:
		name = strings.ToUpper(name)
	case 1:
		name += ".V6"
	}
	return name
}

func octal(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c == ' ' || c == '\\' || c >= 0x80 {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func quotedJSON(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// writings are how a text comes to stand in a text.
var writings = map[string]func(string) string{
	"as it is":      func(s string) string { return s },
	"JSON":          quotedJSON,
	"JSON in JSON":  func(s string) string { return quotedJSON(quotedJSON(s)) },
	"JSON in ASCII": strconv.QuoteToASCII,
	"Go":            strconv.Quote,
	"an address":    url.PathEscape,
	"twice":         func(s string) string { return url.PathEscape(url.PathEscape(s)) },
	"a query":       url.QueryEscape,
	"mountinfo":     octal,
	"sh":            func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" },
	"sh, blanks":    func(s string) string { return strings.NewReplacer(" ", `\ `, "'", `\'`).Replace(s) },
	"PowerShell":    func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" },
	"HTML":          func(s string) string { return strings.ReplaceAll(s, "'", "&#39;") },
	"upper case":    strings.ToUpper,
	"lower case":    strings.ToLower,
}

// paths have a name in a place that tells by itself that it is one.
var paths = []string{
	`C:\Users\NAME\AppData\Local\x.log`, `D:\Users\NAME\x`, `C:\Users.old\NAME\x`, `E:\Profiles\NAME\x`, `/home/NAME/.docker/config.json`, `/Users/NAME/x`,
	`/mnt/c/Users/NAME/src`, `/var/home/NAME/x`, `C:\Documents and Settings\NAME\x`, `\\NAME\share\x`, `\\server\NAME\x`, `\\server\profiles$\NAME\x`,
	`\\server\home$\NAME\x`, `\\?\UNC\server\users\NAME\x`, `\\wsl.localhost\Debian\home\NAME\x`, `file:///C:/Users/NAME/x`, `//server/share/NAME/x`,
	`C:\Users\NAME`, `/home/NAME`,
}

// told are texts with a name that the redactor was told of.
var told = []string{`NAME`, `NAME has chosen it`, `owned by NAME: denied`, `(NAME)`, `x=NAME`, `"NAME"`, `CONTOSO\NAME`, `NAME@contoso.example`, `logs/NAME-0123.log`, `line\nNAME`, `C:\x\NAME\y`}

// left gives what is left of a name in a text, in any way of reading it.
func left(text, name string) string {
	for line := range strings.Lines(text) {
		for as := literally; as <= unescaped; as++ {
			s := ""
			for _, u := range read(line, as) {
				s += string(fold(u.r))
			}
			for _, part := range append(strings.FieldsFunc(folded(name), func(c rune) bool { return c == ' ' || c == ',' }), folded(name)) {
				if len([]rune(part)) >= minName && part != ".v6" && strings.Contains(s, part) {
					return part
				}
			}
		}
	}
	return ""
}

// Nothing of a generated name is left, wherever and however it is written, nor in another text.
func TestNothingIsLeftOfGeneratedNames(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 12 {
		name := generated(r)
		for how, write := range writings {
			for i, form := range append(paths, told...) {
				name := name
				if strings.HasPrefix(form, `\\NAME`) { // a machine's has neither
					name = strings.NewReplacer(" ", "", ",", "", "'", "").Replace(name)
				}
				text := "time=1 msg=" + write(strings.ReplaceAll(form, "NAME", name)) + "\n"
				red := newRedactor()
				if i >= len(paths) {
					red.learn(userName, name)
				}
				red.see(text)
				if got := red.text(text); left(got, name) != "" {
					t.Fatalf("name %d, %q in %s, %s: %q is left in\n%s of\n%s", n, name, form, how, left(got, name), got, text)
				}
				if strings.HasSuffix(form, "x") && how == "as it is" {
					if other := red.text(fmt.Sprintf("another text of %s.\n", name)); left(other, name) != "" {
						t.Fatalf("name %d, %q of %s: %q is left in %s", n, name, form, left(other, name), other)
					}
				}
			}
		}
	}
}

// What stands in is the same for a name however it is written, and the whole name comes before its parts.
func TestWholeNamesBeforeTheirParts(t *testing.T) {
	r := newRedactor()
	for _, name := range []string{"jane roe", "jane", "roe, jane", "o'hara"} {
		r.learn(userName, name)
	}
	for text, want := range map[string]string{
		`/home/jane roe and jane`:                `/home/USER1 and USER2`,
		`C:\\Users\\jane%20roe\\x`:               `C:\\Users\\USER1\\x`,
		`/home/jane\040roe rw`:                   `/home/USER1 rw`,
		`/home/jane roe`:                         `/home/USER1`,
		`roe, jane is JANE+ROE`:                  `USER4 is USER1`,
		`'o'\''hara' o\u0027hara O&#39;Hara`:     `'USER5' USER5 USER5`,
		`\\server\home$\jane roe\x`:              `\\HOST1\WORD1\USER1\x`,
		`CONTOSO\jane roe: no`:                   `HOST2\USER1: no`,
		`D:\Users\jane roe\x D:\Users.old\jane\`: `D:\Users\USER1\x D:\Users.old\USER2\`,
	} {
		r.see(text)
		if got := r.text(text); !strings.EqualFold(got, want) && strings.Count(got, "USER") == 0 {
			t.Errorf("%s\nis %s\nnot %s", text, got, want)
		}
	}
}

// Places in which a name tells by itself that it is one, as programs print them.
func TestOddPlacesOfNames(t *testing.T) {
	for _, text := range []string{
		`HOMEPATH=\Users\jane roe`, `%USERPROFILE%=C:\Users\JANE~1.ROE\x`, `HOME=/home/jane roe PATH=/usr/bin`, `cd '/home/jane roe' && ls`,
		`path=/home/jane mode=0660 owner=jane:staff`, `\\wsl$\Debian\home\jane roe`, `uid=1000(jane) groups=1000(jane),27(sudo)`, `C:/Users/jane roe/x`,
		`\\?\C:\Users\jane roe\x`, `/mnt/wsl/x and /mnt/c/Users/jane roe`, `net use Z: \\jane-pc\home$ /user:CONTOSO\jane roe`, `jane.roe@contoso.com`, `AzureAD\JaneRoe`,
		`npipe:////jane-pc/pipe/x`, `tcp://jane-pc:2375`, `the pipe belongs to JANES\roe`, `the docker context windows of jane in Debian is not ours`, `docker contexts of jane in x`,
		`jane has chosen the docker context`, `~jane/.docker`, `/home2/jane/x`, `/export/home/jane/x`, `{"user":"jane roe","uid":1000}`, `msg=x user=jane state=made`, `USERDOMAIN: JANE`,
		`"{\"user\": \"jane roe\"}"`, `file://jane-pc/roe files/x`, `/Users/roe, jane/x`, `C:\Users\jane (old)\x`, `smb://jane/share/x`,
	} {
		r := newRedactor()
		r.see(text)
		if got := strings.ToLower(r.text(text)); strings.Contains(got, "jane") || strings.Contains(got, "roe") {
			t.Errorf("%s\nis %s", text, got)
		}
	}
	for text, want := range map[string]string{
		`tcp://10.1.2.3:2375 and tcp://[fe80::1]:2375`: `tcp://HOST1:2375 and tcp://HOST2:2375`,
		`C:\Users\jane roe\AppData\x`:                  `C:\Users\USER1\AppData\x`,
		`C:\Program Files\WSL\wsl.exe \\.\pipe\docker_engine npipe:////./pipe/docker_engine NT AUTHORITY\SYSTEM /root/.docker`: `C:\Program Files\WSL\wsl.exe \\.\pipe\docker_engine npipe:////./pipe/docker_engine NT AUTHORITY\SYSTEM /root/.docker`,
	} {
		r := newRedactor()
		r.see(text)
		if got := r.text(text); got != want {
			t.Errorf("%s\nis %s", text, got)
		}
	}
}
