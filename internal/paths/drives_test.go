package paths

import (
	"errors"
	"maps"
	"testing"
)

// share is what the links of WSL's virtiofs shares say.
func share(guid string) string {
	return map[string]string{
		"0d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e": `F:\`,
		"1D8E7A51-6A83-4D0B-9F7D-CD5B0A3D6B2E": `C:\`,
		"2d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e": `\\server\share`,
		"3d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e": `D:\Our Data\`,
		"4d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e": "/somewhere/else",
	}[guid]
}

// translated is what a path is with a list of mounts, or "" if it is none of Windows.
func translated(t *testing.T, mountinfo, path string) string {
	t.Helper()
	got, err := ReadDrives(mountinfo, share).TranslateSource(path)
	var linux *LinuxError
	if err != nil && !errors.As(err, &linux) {
		t.Fatal(err)
	}
	return got
}

const root = "20 1 8:32 / / rw - ext4 /dev/sdc rw\n"

// One mount of /mnt/x each, as versions of WSL have written it.
func TestDrivesAsWSLMountsThem(t *testing.T) {
	for line, want := range map[string]string{
		`/ /mnt/x rw - virtiofs drvfsC rw`:   `C:\y`,
		`/ /mnt/x rw - virtiofs drvfsC0 rw`:  `C:\y`,
		`/ /mnt/x rw - virtiofs drvfsaC0 rw`: `C:\y`,
		`/ /mnt/x rw - virtiofs drvfsaC rw`:  `C:\y`,
		`/ /mnt/x rw - virtiofs drvfsZ17 rw`: `Z:\y`,
		`/ /mnt/x rw - virtiofs drvfsad rw`:  `d:\y`,
		`/ /mnt/x rw - virtiofs drvfs rw`:    "",
		`/ /mnt/x rw - virtiofs drvfsa rw`:   "",
		`/ /mnt/x rw - virtiofs drvfs1 rw`:   "",
		`/ /mnt/x rw - virtiofs mydrvfsC rw`: "",

		`/a\040b /mnt/x rw - virtiofs drvfsC0 rw`: `C:\a b\y`,

		`/ /mnt/x rw - virtiofs 0d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e rw`:                 `F:\y`,
		`/0d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e /mnt/x rw - virtiofs drvfs rw`:            `F:\y`,
		`/1D8E7A51-6A83-4D0B-9F7D-CD5B0A3D6B2E /mnt/x rw - virtiofs drvfsa rw`:           `C:\y`,
		`/1D8E7A51-6A83-4D0B-9F7D-CD5B0A3D6B2E/ab/c\040d /mnt/x rw - virtiofs drvfsa rw`: `C:\ab\c d\y`,
		`/2d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e/ab /mnt/x rw - virtiofs drvfs rw`:         `\\server\share\ab\y`,
		`/3d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e /mnt/x rw - virtiofs drvfs rw`:            `D:\Our Data\y`,
		`/4d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e /mnt/x rw - virtiofs drvfs rw`:            "",
		`/5d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e /mnt/x rw - virtiofs drvfs rw`:            "",
		`/sub/0d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e /mnt/x rw - virtiofs drvfs rw`:        "",
		`/.. /mnt/x rw - virtiofs drvfs rw`:                                              "",

		`/ /mnt/x rw - 9p D:\134\134x rw,aname=drvfs;path=D:\2024\x;uid=0,trans=fd`:               `D:\2024\x\y`,
		`/ /mnt/x rw - 9p drvfs rw,aname=drvfs;path=C:\Program Files\Docker;symlinkroot=/mnt/`:    `C:\Program Files\Docker\y`,
		`/ /mnt/x rw - 9p drvfs rw,cache=5,aname=drvfs;uid=0;path=D:/a/b;gid=0,msize=1`:           `D:\a\b\y`,
		`/ /mnt/x rw - 9p drvfs rw,aname=drvfs;path=UNC\server\a b,trans=virtio`:                  `\\server\a b\y`,
		`/ /mnt/x rw - 9p drvfs rw,aname=drvfs;path=UNC/server/share,trans=virtio`:                `\\server\share\y`,
		`/ /mnt/x rw - 9p C:\134 rw,aname=drvfs`:                                                  "",
		`/ /mnt/x rw - 9p C:\134 rw,aname=drvfs;path=`:                                            "",
		`/ /mnt/x rw - 9p C:\134 rw,aname=drvfs;path=/etc`:                                        "",
		`/ /mnt/x rw - 9p C:\134 rw,uname=aname=drvfs;path=C:\`:                                   "",
		`/a:b\134c /mnt/x rw,noatime shared:3 master:1 - 9p C:\134 rw,aname=drvfs;path=C:\;uid=0`: "C:\\a\uf03ab\uf05cc\\y",
		`/gone//deleted /mnt/x rw - 9p C:\134 rw,aname=drvfs;path=C:\;uid=0`:                      "",
		`/ /mnt/x rw - drvfs \134\134server\134Our\040Documents rw`:                               `\\server\Our Documents\y`,
		`/ /mnt/x rw - fuse.drvfs drvfsC rw`:                                                      "",
	} {
		if got := translated(t, root+"21 20 0:40 "+line+"\n", "/mnt/x/y"); got != want {
			t.Errorf("%s\nis %q, want %q", line, got, want)
		}
	}
}

// A drive has Linux names that Windows can't have.
func TestNamesThatWindowsHasNot(t *testing.T) {
	const list = root + `21 20 0:40 / /mnt/c rw - 9p C:\134 rw,aname=drvfs;path=C:\` + "\n"
	for path, want := range map[string]string{
		`/mnt/c/a:b`:         "C:\\a\uf03ab",
		`/mnt/c/why?`:        "C:\\why\uf03f",
		`/mnt/c/*/"x"`:       "C:\\\uf02a\\\uf022x\uf022",
		`/mnt/c/a|b<c>`:      "C:\\a\uf07cb\uf03cc\uf03e",
		`/mnt/c/a\b/c`:       "C:\\a\uf05cb\\c",
		"/mnt/c/tab\there":   "C:\\tab\uf009here",
		"/mnt/c/\x01\n":      "C:\\\uf001\uf00a",
		"/mnt/c/ü\xff":       "C:\\ü\xff",
		"/mnt/c/\u009b\x7f":  "C:\\\u009b\x7f", // WSL leaves those (microsoft/WSL#6027)
		"/mnt/c/a\uf03ab":    "C:\\a\uf03ab",
		"/mnt/c/C#'$%&;^,=+": `C:\C#'$%&;^,=+`,
	} {
		if got := translated(t, list, path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}

func TestMountsThatHideADrive(t *testing.T) {
	const drive = `21 20 0:40 / /mnt/c rw - 9p C:\134 rw,aname=drvfs;path=C:\` + "\n"
	for list, want := range map[string]string{
		root + drive: `C:\x\y`,
		root + drive + "22 20 0:41 / /mnt rw - tmpfs none rw\n":                                            "",
		root + "22 20 0:41 / /mnt rw - tmpfs none rw\n" + drive:                                            `C:\x\y`,
		root + `21 22 0:40 / /mnt/c rw - virtiofs drvfsC0 rw` + "\n22 20 0:41 / /mnt rw - tmpfs none rw\n": `C:\x\y`, // moved
		drive + root: `C:\x\y`, // moved likewise
		root + drive + "22 21 0:41 / /mnt/c/x rw - ext4 /dev/sdd rw\n":                                               "",
		root + drive + "22 21 0:41 / /mnt/c rw - virtiofs drvfsE0 rw\n":                                              `E:\x\y`,
		root + drive + "22 21 0:41 / /mnt/c/x rw - ext4 /dev/sdd rw\n23 21 0:42 /a /mnt/c/x rw - virtiofs drvfsE rw": `E:\a\y`,
		"short\n\n1 2 3\n - 9p\n" + root + drive:                                                                     `C:\x\y`,
	} {
		if got := translated(t, list, "/mnt/c/x/y"); got != want {
			t.Errorf("%s\nis %q, want %q", list, got, want)
		}
	}
}

// A person is shown where the drives are, not where WSL has them for itself.
func TestRoots(t *testing.T) {
	const list = root +
		"21 20 0:40 / /run/wsl/virtiofs-mounts/drvfs rw - virtiofs drvfs rw\n" +
		"22 20 0:40 /0d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e /run/wsl/virtiofs-mounts/x rw - virtiofs drvfs rw\n" +
		"23 20 0:40 /0d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e /mnt/f rw - virtiofs drvfs rw\n" +
		"24 20 0:40 /0d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e /home/me/again rw - virtiofs drvfs rw\n" +
		"25 20 0:40 /0d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e/a /home/me/a rw - virtiofs drvfs rw\n" +
		"26 20 0:41 / /mnt/d rw - virtiofs drvfsD0 rw\n" +
		"27 26 0:42 / /mnt/d rw - tmpfs none rw\n"
	want := map[string]string{`F:\`: "/mnt/f", `F:\a`: "/home/me/a"}
	if got := ReadDrives(list, share).MountedRoots(); !maps.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
