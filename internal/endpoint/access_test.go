package endpoint

import (
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
)

const (
	passwd = "root:x:0:0:root:/root:/bin/sh\n+nis:x:5:5::/:\nbob:x:1000:1001:Bob,,,:/home/bob:/bin/bash\nann:x:1003:1004::/home/ann:/bin/sh\n7:x:70:71::/:/bin/sh\nbroken\n"
	group  = "root:x:0:\nbob:x:1001:\nann:x:1004:\nstaff:x:50:bob,ann\n"
	docker = "docker:x:998:bob\n"
)

func etc(files ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return m
}

func TestLookupAccess(t *testing.T) {
	plain := etc("passwd", passwd, "group", group)
	withDocker := etc("passwd", passwd, "group", group+docker)
	wslConf := func(text string) fstest.MapFS { return etc("passwd", passwd, "group", group, "wsl.conf", text) }
	for _, tc := range []struct {
		name        string
		etc         fstest.MapFS
		mode, owner string
		uid         int
		want        string
	}{
		{"a group docker", withDocker, "", "", -1, "0660 0:998"},
		{"a group docker beats a known user", withDocker, "", "", 1003, "0660 0:998"},
		{"the user Windows knows", plain, "", "", 1003, "0600 1003:1004"},
		{"a known user without a name", plain, "", "", 4711, "0600 4711:0"},
		{"the user of wsl.conf", wslConf("[boot]\ndefault=bob\n[user]\n# default=bob\nDefault = \"ann\"\n[x]\ndefault=bob\n"), "", "", -1, "0600 1003:1004"},
		{"a user of wsl.conf who is not there", wslConf("[user]\ndefault=nobody-here\n"), "", "", -1, "0600 1000:1001"},
		{"the first user", plain, "", "", -1, "0600 1000:1001"},
		{"no user but root", etc("passwd", "root:x:0:0::/:\n"), "", "", -1, "0600 0:0"},
		{"no files", etc(), "", "", -1, "0600 0:0"},
		{"a mode alone", withDocker, "0600", "", -1, "0600 0:998"},
		{"a mode without the leading 0", plain, "666", "", -1, "0666 1000:1001"},
		{"an owner alone", withDocker, "", "ann", -1, "0600 1003:1004"},
		{"owner and group", plain, "", "ann:staff", -1, "0660 1003:50"},
		{"a group alone", plain, "", ":staff", -1, "0660 0:50"},
		{"all of it", plain, "0640", "bob:ann", -1, "0640 1000:1004"},
		{"numbers", plain, "", "1003:50", -1, "0660 1003:50"},
		{"numbers without names", plain, "", "4711:4712", -1, "0660 4711:4712"},
		{"a name that looks like a number", plain, "", "7", -1, "0600 70:71"},
	} {
		a, err := LookupAccess(tc.etc, tc.mode, tc.owner, tc.uid)
		if err != nil || a.String() != tc.want {
			t.Errorf("%s: %v, %v, want %s", tc.name, a, err, tc.want)
		}
	}
}

func TestLookupAccessRefuses(t *testing.T) {
	files := etc("passwd", passwd, "group", group)
	for _, tc := range []struct{ mode, owner, want string }{
		{"rw", "", `parse mode "rw": it is no octal number up to 0777`},
		{"1777", "", "up to 0777"},
		{"-1", "", "up to 0777"},
		{"", "eve", `look up owner "eve": there is no user "eve"`},
		{"", "bob:docker", `there is no group "docker"`},
		{"", "+nis", `there is no user "+nis"`},
		{"", "bob:", "there is no group"},
	} {
		a, err := LookupAccess(files, tc.mode, tc.owner, -1)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("mode %q owner %q: %v, %v; want %q", tc.mode, tc.owner, a, err, tc.want)
		}
	}
}

// FuzzLookupAccess reads whatever a distro may have in its files.
func FuzzLookupAccess(f *testing.F) {
	f.Add(passwd, group+docker, "", "", "", -1)
	f.Add(passwd, group, "[user]\ndefault=ann\n", "", "", -1)
	f.Add(passwd, group, "[user]\nDefault = \"ann\"\n[x]", "0640", "bob:staff", 1000)
	f.Add(passwd, group, "", "666", ":4711", 0)
	f.Add(passwd, group, "", "", "1003:50", 4711)
	f.Fuzz(func(t *testing.T, passwd, group, conf, mode, owner string, uid int) {
		files := etc("passwd", passwd, "group", group, "wsl.conf", conf)
		a, err := LookupAccess(files, mode, owner, uid)
		if err != nil {
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("an error that no terminal should get: %q", err)
			}
			return
		}
		if a.Mode&^0o777 != 0 || a.Uid < 0 || a.Gid < 0 {
			t.Errorf("mode %o, %d:%d", a.Mode, a.Uid, a.Gid)
		}
		if mode == "" && a.Mode&0o007 != 0 {
			t.Errorf("everybody was let in unasked: %v", a)
		}
		_ = OwnerNames(files, a)
	})
}
