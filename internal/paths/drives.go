package paths

import (
	"regexp"
	"strconv"
	"strings"
)

// Drives are the mounts of a distro.
//
// The rules are those of WSL's own translation (UtilFindMount and EscapePathForNt of src/linux/init in
// microsoft/WSL) and of proc_pid_mountinfo(5):
//   - A mount hides what was mounted at or below its mount point before. The list has the mounts in that
//     order, but for those that were moved: what a mount is mounted on does not hide it, wherever it stands.
//   - Root, mount point and source have blanks and backslashes as octal escapes. The options of 9p
//     have not: a directory \040x of Windows stands there as it is (microsoft/WSL#10056).
//   - 9p: the option aname=drvfs… has the directory behind path=, up to a semicolon. A share of
//     another machine is UNC\server\share there.
//   - virtiofs: the source is drvfs, or drvfsa for administrators, and a drive's letter; what follows the
//     letter counts for nothing (microsoft/WSL#14301). Or it is a GUID, and a symbolic link of that name
//     says what it shows. Or it is drvfs or drvfsa alone, one device for all shares: then the first name
//     of the mount's root is the GUID (microsoft/WSL#41129).
//   - What is below a mount's root has Linux names, the rest of the root included: a character that
//     Windows takes in no name is there as one of U+F001 to U+F07C (microsoft/WSL#4682).
//   - A blank or a dot at a name's end stays, as WSL leaves it, though most programs of Windows drop it.
type Drives struct {
	mounts  []mount
	parents map[string]string // of a mount's id, the id of the mount that it is mounted on
	real    func(path string) string
}

type mount struct {
	id      string
	point   string
	windows string // what the point is on Windows; "" if it is nothing there
}

// ReadDrives reads a mountinfo file. Resolve tells what a share of virtiofs that is called by a GUID is on
// Windows, or "".
func ReadDrives(mountinfo string, resolve func(guid string) string) Drives {
	d := Drives{parents: map[string]string{}}
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		place, kind := strings.Split(before, " "), strings.SplitN(after, " ", 3)
		if len(place) < 5 || len(kind) < 3 {
			continue
		}
		root, point := unescapeMount(place[3]), unescapeMount(place[4])
		windows, root := windowsRoot(kind[0], unescapeMount(kind[1]), kind[2], root, resolve)
		switch {
		case strings.HasSuffix(root, deleted):
			windows = ""
		case windows != "" && root != "/": // a bind mount of a directory in it
			windows = joinBelow(windows, root)
		}
		d.mounts = append(d.mounts, mount{place[0], point, windows})
		d.parents[place[0]] = place[1]
	}
	return d
}

// deleted ends the root of a mount whose directory is there no more (d_path in the kernel).
const deleted = "//deleted"

// FollowingLinks is the same with symbolic links followed: real gives a path without them, as far as it
// is there.
func (d Drives) FollowingLinks(real func(path string) string) Drives {
	d.real = real
	return d
}

// windowsRoot is the directory of Windows that a file system of WSL shows, or "", and the mount's root
// below that.
func windowsRoot(kind, source, options, root string, resolve func(string) string) (windows, rest string) {
	switch kind {
	case "drvfs":
		return windowsDirectory(source), root
	case "virtiofs":
		return virtioRoot(source, root, resolve)
	case "9p":
		return plan9Root(options), root
	}
	return "", root
}

// The names of the device for all shares, and what begins the tag of a drive.
const (
	virtioTag      = "drvfs"
	adminVirtioTag = "drvfsa"
)

var guid = regexp.MustCompile(`^\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?$`)

func virtioRoot(tag, root string, resolve func(string) string) (windows, rest string) {
	if tag == virtioTag || tag == adminVirtioTag {
		tag, rest, _ = strings.Cut(strings.TrimPrefix(root, "/"), "/")
		root = "/" + rest
	} else if drive, is := strings.CutPrefix(tag, virtioTag); is {
		drive = strings.TrimPrefix(drive, strings.TrimPrefix(adminVirtioTag, virtioTag))
		return windowsDirectory(drive[:min(len(drive), 1)] + `:\`), root
	}
	if !guid.MatchString(tag) {
		return "", root
	}
	return windowsDirectory(resolve(tag)), root
}

func plan9Root(options string) string {
	for option := range strings.SplitSeq(options, ",") {
		share, is := strings.CutPrefix(option, "aname=drvfs")
		if !is {
			continue
		}
		for part := range strings.SplitSeq(share, ";") {
			if at, is := strings.CutPrefix(part, "path="); is {
				if unc, is := strings.CutPrefix(withBackslashes(at), `UNC\`); is {
					at = `\\` + unc
				}
				return windowsDirectory(at)
			}
		}
	}
	return ""
}

// aDirectory is what WSL takes for one: on a drive, or on another machine.
var aDirectory = regexp.MustCompile(`^([A-Za-z]:|\\\\[^\\])`)

// windowsDirectory is a directory of Windows with its own slashes, or "" for what is none.
func windowsDirectory(s string) string {
	if s = withBackslashes(s); aDirectory.MatchString(s) {
		return s
	}
	return ""
}

func withBackslashes(s string) string { return strings.ReplaceAll(s, "/", `\`) }

// joinBelow is a path of Linux, from the mount's root on, below a directory of Windows.
func joinBelow(windows, rest string) string {
	rest = strings.Trim(rest, "/")
	windows = strings.TrimSuffix(windows, `\`)
	if rest == "" && strings.HasSuffix(windows, ":") {
		return windows + `\`
	}
	if rest == "" {
		return windows
	}
	return windows + `\` + pathOnDrive(rest)
}

// pathOnDrive is a path of Linux as Windows names it: a character that no name of Windows has is another one there.
func pathOnDrive(path string) string {
	const escapes = 0xf000
	var b strings.Builder
	for i := range len(path) { // bytes: what is no UTF-8 stays
		switch c := path[i]; {
		case c == '/':
			b.WriteByte('\\')
		case c < ' ' || strings.IndexByte(`"*:<>?\|`, c) >= 0:
			b.WriteRune(escapes + rune(c))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// windowsPath is what a clean absolute path is on Windows.
func (d Drives) windowsPath(path string) (windows string, found bool) {
	best := mount{}
	for _, m := range d.mounts {
		if isWithin(path, m.point) && (best.point == "" || d.hidesMount(m, best)) {
			best = m
		}
	}
	if best.windows == "" {
		return "", false
	}
	return joinBelow(best.windows, path[len(best.point):]), true
}

// hidesMount tells whether a mount hides one that stands before it in the list, both at or above one path.
func (d Drives) hidesMount(later, earlier mount) bool {
	if !isWithin(earlier.point, later.point) || later.point == earlier.point {
		return true // it is nearer
	}
	if later.point == "/" {
		return false // a program's root stays what it was
	}
	on := earlier.id
	for range d.mounts { // a list that is wrong may go round
		if on = d.parents[on]; on == later.id {
			return false
		}
	}
	return true
}

func isWithin(path, dir string) bool {
	rest, is := strings.CutPrefix(path, dir)
	return is && (rest == "" || rest[0] == '/' || strings.HasSuffix(dir, "/"))
}

var escaped = regexp.MustCompile(`\\[0-7]{3}`)

// unescapeMount undoes what the kernel does to blanks and backslashes.
func unescapeMount(s string) string {
	return escaped.ReplaceAllStringFunc(s, func(e string) string {
		n, err := strconv.ParseUint(e[1:], 8, 8)
		if err != nil {
			return e
		}
		return string([]byte{byte(n)})
	})
}

// virtioMounts is where WSL has the device for all shares, and what is bound from it once more.
const virtioMounts = "/run/wsl/virtiofs-mounts"

// MountedRoots are the directories of Windows that are mounted, and where: for a person, so without the places that
// WSL has for itself.
func (d Drives) MountedRoots() map[string]string {
	roots := map[string]string{}
	for _, m := range d.mounts {
		windows, is := d.windowsPath(m.point)
		if !is || windows != joinBelow(m.windows, "") || isWithin(m.point, virtioMounts) {
			continue
		}
		if _, double := roots[windows]; !double {
			roots[windows] = m.point
		}
	}
	return roots
}
