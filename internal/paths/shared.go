package paths

import (
	"errors"
	"path"
	"strings"
)

// UsualShared is where a distro has the directory that all distros of WSL's virtual machine share,
// unless its wsl.conf mounts Windows' drives elsewhere: then it lies beside those.
const UsualShared = "/mnt/wsl"

// sharedForm begins what stands for a file in the shared directory, wherever that is.
const sharedForm = "shared:"

// ErrNoShared says that a distro has no such directory.
var ErrNoShared = errors.New("this distro has no directory that it shares with all others (/mnt/wsl as a rule)")

// ToShared is what a file below UsualShared is called where the directory may lie elsewhere.
func ToShared(file string) string { return sharedForm + strings.TrimPrefix(file, UsualShared) }

// IsShared tells what ToShared has named.
func IsShared(file string) bool { return strings.HasPrefix(file, sharedForm) }

// FromShared is the path of what ToShared has named, in the distro that has this mountinfo file. Any
// other path is as it was. What is named lies in a directory of its own: in the shared one itself
// everybody may make files.
func FromShared(file, mountinfo string) (at string, shared bool, err error) {
	rest, shared := strings.CutPrefix(file, sharedForm)
	if !shared {
		return file, false, nil
	}
	dir := sharedDir(mountinfo)
	switch {
	case dir == "":
		return "", true, ErrNoShared
	case path.Clean(rest) != rest || strings.Count(rest, "/") != 2 || rest[0] != '/':
		return "", true, errors.New("it is no file in a directory below the one that all distros share")
	}
	return path.Join(dir, rest), true, nil
}

// sharedDir is a whole tmpfs at a place that ends with wsl, in front of which is nothing but the root of
// automounts (config.cpp of microsoft/WSL moves it there, with automounts turned off, too). Where there
// are several it is the usual one, or the one nearest to the root.
func sharedDir(mountinfo string) (dir string) {
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		place := strings.Split(before, " ")
		if len(place) < 5 || place[3] != "/" || !strings.HasPrefix(after, "tmpfs ") {
			continue
		}
		point := unescapeMount(place[4])
		switch {
		case !strings.HasSuffix(point, "/wsl"):
		case point == UsualShared:
			return point
		case dir == "" || len(point) < len(dir):
			dir = point
		}
	}
	return dir
}
