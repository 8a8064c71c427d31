package endpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links a way may have, as for the kernel
// (path_resolution(7)).
const maxLinks = 40

// checkPathWay refuses a directory that somebody else could exchange: by a name in it, or by
// that of a directory above it or of a symbolic link on the way. It follows a link only if
// it is root's or ours and nobody else can write where it lies, as with /var/run.
//
// What was looked at can change until it is used, by the hands of root and our own only.
func checkPathWay(path string, euid int) error {
	way, rest, links := "/", splitPath(path), 0
	if err := checkOwnDir(way, euid); err != nil {
		return err
	}
	for len(rest) > 0 {
		next := filepath.Join(way, rest[0])
		to, err := readSafeLink(next, way, euid)
		if err != nil {
			return err
		}
		if to == "" {
			if err := checkOwnDir(next, euid); err != nil {
				return err
			}
			way, rest = next, rest[1:]
			continue
		}
		if links++; links > maxLinks {
			return fmt.Errorf("%s leads through more than %d symbolic links", path, maxLinks)
		}
		if filepath.IsAbs(to) {
			way = "/"
		}
		rest = append(splitPath(to), rest[1:]...)
	}
	return nil
}

// splitPath gives the names of a path. A .. stays, and is resolved where it
// stands: the way up from a checked directory is a checked one, as links are gone.
func splitPath(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// readSafeLink is where a symbolic link leads, or empty for what is none.
func readSafeLink(path, dir string, euid int) (string, error) {
	var st unix.Stat_t
	err := unix.Lstat(path, &st)
	if err == unix.ENOENT {
		return "", fmt.Errorf("there is no directory %s", path)
	}
	if err != nil {
		return "", fmt.Errorf("look at %s: %w", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return "", nil
	}
	if st.Uid != 0 && int(st.Uid) != euid {
		return "", fmt.Errorf("%s is a symbolic link of uid %d, who could lead it elsewhere", path, st.Uid)
	}
	// In a sticky directory the owner of a link says little: with a second name (link(2)) one
	// of root's may have been brought there by anybody.
	var in unix.Stat_t
	if err := unix.Lstat(dir, &in); err != nil {
		return "", fmt.Errorf("look at %s: %w", dir, err)
	}
	if in.Mode&0o022 != 0 {
		return "", fmt.Errorf("%s is a symbolic link in a directory that others write to; name the directory it leads to", path)
	}
	return os.Readlink(path)
}
