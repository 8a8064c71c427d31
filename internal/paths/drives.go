package paths

import (
	"regexp"
	"strconv"
	"strings"
)

// Drives are the mounts of a distro.
type Drives struct {
	mounts []mount
	real   func(path string) string
}

type mount struct {
	point   string
	windows string // what the point is on Windows; "" if it is nothing there
}

// ReadDrives reads a mountinfo file (proc_pid_mountinfo(5)). A tag is what a virtiofs share is
// called; resolve tells what that is on Windows, or "".
func ReadDrives(mountinfo string, resolve func(tag string) string) Drives {
	var d Drives
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		place, kind := strings.Split(before, " "), strings.Split(after, " ")
		if len(place) < 5 || len(kind) < 3 {
			continue
		}
		windows := windowsRoot(kind[0], unescape(kind[1]), unescape(strings.Join(kind[2:], " ")), resolve)
		if root := unescape(place[3]); windows != "" && root != "/" { // a bind mount of a directory in it
			windows = below(windows, root)
		}
		d.mounts = append(d.mounts, mount{unescape(place[4]), windows})
	}
	return d
}

// Following is the same with symbolic links followed: real gives a path without them, as far as it
// is there.
func (d Drives) Following(real func(path string) string) Drives {
	d.real = real
	return d
}

// virtioTag is a share's name of earlier versions of WSL: drvfs, a for one of the
// administrators', and the drive.
var virtioTag = regexp.MustCompile(`^drvfsa?([A-Z])$`)

// windowsRoot is the directory of Windows that a file system of WSL shows (src/linux/init/drvfs.cpp
// and util.cpp of microsoft/WSL), or "".
func windowsRoot(kind, source, options string, resolve func(string) string) string {
	switch kind {
	case "drvfs":
		return slashed(source)
	case "virtiofs":
		if m := virtioTag.FindStringSubmatch(source); m != nil {
			return m[1] + `:\`
		}
		return slashed(resolve(source))
	case "9p":
		_, at, found := strings.Cut(options, "aname=drvfs;path=")
		if !found {
			return ""
		}
		at = at[:strings.IndexAny(at+";", ";,")]
		if share, is := strings.CutPrefix(slashed(at), `UNC\`); is {
			return `\\` + share
		}
		return slashed(at)
	}
	return ""
}

func slashed(s string) string { return strings.ReplaceAll(s, "/", `\`) }

// below is a path of Linux, from the mount's root on, below a directory of Windows.
func below(windows, rest string) string {
	rest = strings.Trim(rest, "/")
	windows = strings.TrimSuffix(windows, `\`)
	if rest == "" && strings.HasSuffix(windows, ":") {
		return windows + `\`
	}
	if rest == "" {
		return windows
	}
	return windows + `\` + slashed(rest)
}

// find is what a clean absolute path is on Windows. Of the mounts above it the
// nearest counts, and of several at one place the last.
func (d Drives) find(path string) (windows string, found bool) {
	best := mount{}
	for _, m := range d.mounts {
		if len(m.point) >= len(best.point) && within(path, m.point) {
			best = m
		}
	}
	if best.windows == "" {
		return "", false
	}
	return below(best.windows, path[len(best.point):]), true
}

func within(path, dir string) bool {
	rest, is := strings.CutPrefix(path, dir)
	return is && (rest == "" || rest[0] == '/' || strings.HasSuffix(dir, "/"))
}

var escaped = regexp.MustCompile(`\\[0-7]{3}`)

// unescape undoes what the kernel does to blanks and backslashes.
func unescape(s string) string {
	return escaped.ReplaceAllStringFunc(s, func(e string) string {
		n, err := strconv.ParseUint(e[1:], 8, 8)
		if err != nil {
			return e
		}
		return string([]byte{byte(n)})
	})
}

// Roots are the directories of Windows that are mounted, and where.
func (d Drives) Roots() map[string]string {
	roots := map[string]string{}
	for _, m := range d.mounts {
		if _, is := d.find(m.point); m.windows != "" && is {
			roots[m.windows] = m.point
		}
	}
	return roots
}
