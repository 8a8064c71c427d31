package endpoint

import (
	"fmt"
	"strings"
	"testing"
)

// Who WSL takes for the default user, by its own parser.
func TestDefaultUserAsWSLReadsIt(t *testing.T) {
	for text, want := range map[string]string{
		"[user]\ndefault=jane # me":                              "jane",
		"[user]\ndefault=jane#me\n":                              "jane",
		"[user] # mine\ndefault=jane\n":                          "jane",
		"[user]# mine\n\tdefault\t=\tjane\t\n":                   "jane",
		"  [USER]  \nDeFault = jane":                             "jane",
		"[user]\ndefault=jane\ndefault=bob\n":                    "jane",
		"[user]\ndefault=\ndefault=bob\n":                        "",
		"[user]\ndefault=jane\n[boot]\n[user]\ndefault=bob\n":    "jane",
		"[user]\ndefault=ja\\\nne\n":                             "jane",
		"[user]\ndefault=ja\\\n  ne\n":                           "ja  ne",
		"[user]\ndefault=jane\\\n# bob\n":                        "jane",
		"[user]\ndefault=ja\\\r\nne=x\n":                         "ja",
		"[user]\ndefault=\"jane\"\n":                             "jane",
		"[user]\ndefault=\"jane # me\" # she\n":                  "jane # me",
		"[user]\ndefault=\" jane \"\n":                           " jane ",
		"[user]\ndefault=ja\"n\"e\n":                             "jane",
		"[user]\ndefault='jane'\n":                               "'jane'",
		"[user]\ndefault=jane roe\n":                             "jane roe",
		"[user]\ndefault=ja\\\"ne\\\\\n":                         `ja"ne\`,
		"[user]\ndefault=jane\\t\n":                              "jane\t",
		"[user]\ndefault=\"jane\n":                               "",
		"[user]\ndefault=DOMAIN\\jane\n":                         "",
		"[user]\r\ndefault=jane\r\n":                             "jane",
		"[user]\rdefault=jane\r":                                 "jane",
		"# old\n#\n\n[user]\n  # x\ndefault=jane":                "jane",
		"#\rx\n[user]\ndefault=jane":                             "jane",
		"\ufeff[user]\ndefault=jane\n":                           "",
		"\ufeff\n[user]\ndefault=jane\n":                         "",
		"\xff\xfe[\x00u\x00s\x00e\x00r\x00]\x00":                 "",
		"[user]\n; bob\ndefault=jane\n":                          "",
		"[user]\ndefault=jane\n; bob\n":                          "jane",
		"[boot]\ncommand=echo \"a\nx=\"\n[user]\ndefault=jane\n": "",
		"[boot]\ncommand=a\\q\n[user]\ndefault=jane\n":           "",
		"[boot]\ncommand=a\\\n[user]\ndefault=jane\n":            "",
		"[ user ]\ndefault=jane\n":                               "",
		"[user]x\ndefault=jane\n":                                "",
		"[user\ndefault=jane\n":                                  "",
		"[wsl2-x]\n[user]\ndefault=jane\n":                       "",
		"user.default=jane\n":                                    "",
		"default=jane\n":                                         "",
		"[users]\ndefault=jane\n":                                "",
		"[user]\ndefault\n":                                      "",
		"[user]\ndefault jane\n":                                 "",
		"[user]\ndefaults=bob\ndefault=jane\n":                   "jane",
		"[user]\ndefault=jäne\n":                                 "jäne",
		"[user]\ndefault=jane\x00bob\n":                          "jane",
		"[user]\ndefault=jane\\":                                 "",
		"":                                                       "",
	} {
		if got := wslConfValue(etc("wsl.conf", text), "user", "default"); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// A comment behind the name once gave the socket of one user to another.
func TestCommentInWSLConfGivesNobodyElseTheSocket(t *testing.T) {
	for text, want := range map[string]string{
		"[user]\ndefault=ann # me\n":             "0600 1003:1004",
		"[user] # me\ndefault=ann\n":             "0600 1003:1004",
		"[user]\ndefault=ann\ndefault=bob\n":     "0600 1003:1004",
		"[user]\ndefault=an\\\nn\n":              "0600 1003:1004",
		"[user]\ndefault=1003\n":                 "0600 1000:1001", // a name, not a number
		"[user]\ndefault=7\n":                    "0600 70:71",     // and this is one
		"[user]\ndefault=eve\ndefault=ann\n":     "0600 1000:1001",
		"[user]\ndefault=Ann\n":                  "0600 1000:1001", // Linux knows the case of names
		"[user]\ndefault=+nis\n":                 "0600 1000:1001",
		"[user]\ndefault=ann\n" + "default=\xff": "0600 1003:1004",
	} {
		a, err := LookupAccess(etc("passwd", passwd, "group", group, "wsl.conf", text), "", "", -1)
		if err != nil || a.String() != want {
			t.Errorf("%q: %v, %v, want %s", text, a, err, want)
		}
	}
}

// Odd, but valid passwd(5) and group(5).
func TestAccounts(t *testing.T) {
	many := func(name string, gid int) string {
		var b strings.Builder
		fmt.Fprintf(&b, "%s:x:%d:", name, gid)
		for i := range 20_000 {
			fmt.Fprintf(&b, "user%d,", i)
		}
		return b.String() + "last\n"
	}
	files := etc(
		"passwd", "root:x:0:0::/:\n\n# jane:x:7:7::/:\n  ann:x:1003:1004::/:/bin/sh\nann:x:9:9::/:\nad:*:3000000000:3000000001:A D:/:/bin/sh\r\nno:x:4294967295:1::/:\n"+
			"neg:x:-1:1::/:\nhex:x:0x7:1::/:\nb@corp.example:x:1005:1005::/:\nlast:x:1006:1006:"+strings.Repeat("x", 200_000)+":/:\nend:x:1007:1007::/:",
		"group", many("users", 100)+many("docker", 998)+"staff:x:50:",
	)
	for owner, want := range map[string]string{
		"":               "0660 0:998",
		"ann":            "0600 1003:1004",
		"ad:staff":       "0660 3000000000:50",
		"ad":             "0600 3000000000:3000000001",
		"b@corp.example": "0600 1005:1005",
		"last:users":     "0660 1006:100",
		"end":            "0600 1007:1007",
		"jane":           "", "no": "", "neg": "", "hex": "", "4294967295": "", "4294967296": "", "-1": "", ":": "", "ann:": "",
		"4294967294:4294967294": "0660 4294967294:4294967294",
	} {
		a, err := LookupAccess(files, "", owner, -1)
		if (err != nil) != (want == "") || err == nil && a.String() != want {
			t.Errorf("%q: %v, %v, want %s", owner, a, err, want)
		}
	}
}
