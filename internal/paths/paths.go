// Package paths turns the paths that a Linux client names into those of the Windows machine, in
// what a Docker client asks to be created; and says where the directory lies that all distros share.
//
// It knows how WSL shows Windows drives to a distro, how a bind mount is written, and where the
// bodies of two requests name one. It reads no file and sends nothing.
//
// Law: nothing but the string that names a source is changed, and every other byte stays; what
// can't be read is left as it is.
package paths

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// LinuxError says that a path is one of the distro's own file system, which no
// Windows program but its user's can reach.
type LinuxError struct{ Path string }

func (e *LinuxError) Error() string {
	return fmt.Sprintf("translate %q: it is in the Linux file system", e.Path)
}

// mangled is what a client on Linux makes of a Windows path, which is no absolute one to it: it
// puts its own directory in front (docker/compose#12750).
var mangled = regexp.MustCompile(`^/(?:.*?/)?([A-Za-z]:(?:[\\/].*)?|\\\\.*)$`)

// Source is the path on Windows that a client means by the source of a bind
// mount. The error is a *LinuxError. What is no absolute path of Linux stays. A symbolic link is followed
// only out of the Linux file system: those on a drive are Windows' affair.
func (d Drives) Source(source string) (string, error) {
	if !strings.HasPrefix(source, "/") || strings.HasPrefix(source, "//") {
		return source, nil
	}
	if m := mangled.FindStringSubmatch(source); m != nil {
		return m[1], nil
	}
	name := path.Clean(source)
	if windows, found := d.find(name); found {
		return windows, nil
	}
	if d.real != nil {
		if windows, found := d.find(d.real(name)); found {
			return windows, nil
		}
	}
	return "", &LinuxError{source}
}

// destination is where a bind mount leads to in a Windows container, and its options: a drive, a
// pipe. Only with that known can a text full of colons be read.
var destination = regexp.MustCompile(`^(?:[A-Za-z]:(?:[\\/][^:]*)?|(?:\\\\|//)[.?][\\/].*)(?::[^:\\/]*)?$`)

// bind is SOURCE:DESTINATION[:OPTIONS], whose source is a path of Linux, or something else, which
// is no affair of ours.
func (d Drives) bind(text string) (string, error) {
	if !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") {
		return text, nil
	}
	n := sourceEnd(text)
	if n < 0 { // a destination alone: a volume without a name
		return text, nil
	}
	source, err := d.Source(text[:n])
	return source + text[n:], err
}

// drive is a drive that a path goes on with behind the directory that was put in front.
var drive = regexp.MustCompile(`/[A-Za-z]:\\`)

// sourceEnd is the length of the source in a bind mount's text, or -1 if it names only one path.
func sourceEnd(text string) int {
	for i := 0; i < len(text); i++ {
		if text[i] == ':' && destination.MatchString(text[i+1:]) {
			return i
		}
	}
	// No destination of Windows. The engine will say so, but of a path that it knows.
	from := 0
	if at := drive.FindStringIndex(text); at != nil {
		from = at[1]
	}
	if n := strings.IndexByte(text[from:], ':'); n >= 0 {
		return from + n
	}
	return -1
}
