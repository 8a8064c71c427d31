package wsl

import (
	"fmt"
	"strings"
)

// Shape is how WSL has mounted a drive of Windows.
type Shape string

const (
	// Plan9 is 9p, whose options name the directory.
	Plan9 Shape = "9p"
	// VirtioTag is virtiofs with a share for each drive, whose tag names it.
	VirtioTag Shape = "virtiofs by a tag"
	// VirtioShares is virtiofs with one device for all shares: the root of a mount has
	// the GUID of its share, and a link of that name says what that is.
	VirtioShares Shape = "virtiofs by shares"
)

// Shapes are all of them.
var Shapes = []Shape{Plan9, VirtioTag, VirtioShares}

const (
	// VirtioLinks is where a distro has the links of its shares.
	VirtioLinks = "/run/wsl/virtiofs"
	// driveCShare is the share of drive C.
	driveCShare = "c7a1c0de-0000-4000-8000-00000000000c"
)

// DriveC is drive C at /mnt/c, and its directory "a b:c" at /mnt/ab, in a list of mounts (/proc/PID/mountinfo) of WSL,
// and the links that belong to it. The test's machine has no such file systems, so
// nothing is mounted (drvfs.cpp, util.cpp of microsoft/WSL).
func DriveC(shape Shape) (mountinfo string, links map[string]string) {
	const root = "1 0 8:1 / / rw - ext4 /dev/sdc rw\n"
	two := func(share, rest string) string { // the root of a mount is /, or the share's name and what is below it
		return fmt.Sprintf(root+"2 1 0:50 /%s /mnt/c rw,noatime - %s\n3 1 0:50 %s/a\\040b:c /mnt/ab rw,noatime - %s\n",
			strings.TrimPrefix(share, "/"), rest, share, rest)
	}
	switch shape {
	case VirtioTag:
		return two("", "virtiofs drvfsC0 rw"), nil
	case VirtioShares:
		return two("/"+driveCShare, "virtiofs drvfs rw"), map[string]string{driveCShare: `C:\`}
	}
	return two("", `9p C:\134 rw,dirsync,aname=drvfs;path=C:\;uid=1000;gid=1000;symlinkroot=/mnt/,mmap`), nil
}
