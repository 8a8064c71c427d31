// Package paths turns the paths that a Linux client names into those of the Windows machine, in
// what a Docker client asks to be created; and says where the directory lies that all distros share.
//
// It knows how WSL shows Windows drives to a distro, how a bind mount is written, and where the
// bodies of three requests name one. It reads no file and sends nothing.
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

// unmanglePath is the path of Windows in what a client on Linux makes of one, which is no absolute one to it: it
// puts its own directory in front (docker/compose#12750).
func unmanglePath(source string) (windows string, is bool) {
	if strings.Contains(source, "\n") {
		return "", false
	}
	for i := 0; i < len(source); i++ {
		if source[i] == '/' && isWindows(source[i+1:]) {
			return source[i+1:], true
		}
	}
	return "", false
}

// isWindows tells whether a path begins with a drive, or as a share or a pipe does.
func isWindows(path string) bool {
	if strings.HasPrefix(path, `\\`) {
		return true
	}
	letter := len(path) >= 2 && 'a' <= path[0]|0x20 && path[0]|0x20 <= 'z' && path[1] == ':'
	return letter && (len(path) == 2 || path[2] == '\\' || path[2] == '/')
}

// TranslateSource is the path on Windows that a client means by the source of a bind
// mount. The error is a *LinuxError. What is no absolute path of Linux stays. A symbolic link is followed
// only out of the Linux file system: those on a drive are Windows' affair.
func (d Drives) TranslateSource(source string) (string, error) {
	if !strings.HasPrefix(source, "/") || strings.HasPrefix(source, "//") {
		return source, nil
	}
	if windows, is := unmanglePath(source); is {
		return windows, nil
	}
	name := path.Clean(source)
	if windows, found := d.windowsPath(name); found {
		return windows, nil
	}
	if d.real != nil {
		if windows, found := d.windowsPath(d.real(name)); found {
			return windows, nil
		}
	}
	return "", &LinuxError{source}
}

// destination is a drive that a bind mount leads to in a Windows container, and options; a pipe begins with
// pipePrefix. Only with that known can a text full of colons be read.
var (
	destination = regexp.MustCompile(`^[A-Za-z]:(?:[\\/][^:]*)?(?::[^:\\/]*)?$`)
	pipePrefix  = regexp.MustCompile(`^(?:\\\\|//)[.?][\\/]`)
)

// translateBind is SOURCE:DESTINATION[:OPTIONS], whose source is a path of Linux, or something else, which
// is no affair of ours.
func (d Drives) translateBind(text string) (string, error) {
	if !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") {
		return text, nil
	}
	n := endOfSource(text)
	if n < 0 { // a destination alone: a volume without a name
		return text, nil
	}
	source, err := d.TranslateSource(text[:n])
	return source + text[n:], err
}

// drive is a drive that a path goes on with behind the directory that was put in front.
var drive = regexp.MustCompile(`/[A-Za-z]:\\`)

// endOfSource is the length of the source in a bind mount's text, or -1 if it names only one path. Its cost is
// that of the text's length: a drive and its options have two colons at most.
func endOfSource(text string) int {
	colons := strings.Count(text, ":")
	for i := 0; i < len(text); i++ {
		if text[i] != ':' {
			continue
		}
		colons--
		rest := text[i+1:]
		if pipePrefix.MatchString(rest[:min(len(rest), 4)]) || colons <= 2 && destination.MatchString(rest) {
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
