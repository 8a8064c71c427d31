// Package state is where this user's files of ours lie, what is recorded in them, and the one way in which files of
// ours are written and removed.
//
// It knows directories, names of logs, and the record of what was made in distros. It does not know what a bridge is.
// Files of others are read by internal/files, which is below: programs, configurations and logs are nobody's state.
//
// Law: nothing is written or removed but below a directory that is called docker-wsl-bridge, and no link in it or in its
// place leads elsewhere: the user's other programs may have put one there, to lead a process with an administrator's
// rights. What is under a name is whole.
package state

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// dirName is what each directory of ours is called.
const dirName = "docker-wsl-bridge"

// ErrNoPlace says that the environment does not tell where a user's state belongs.
var ErrNoPlace = errors.New("find a directory for the user's state: neither the environment nor the system names one")

// Dir is where this user's files of ours are: who runs, the logs, and what is installed and made.
func Dir() (string, error) { return dirOf(runtime.GOOS, os.Getenv) }

// dirOf takes XDG_STATE_HOME if it is absolute, as the XDG base directory specification asks.
func dirOf(goos string, getenv func(string) string) (string, error) {
	if goos == "windows" {
		if local := getenv("LOCALAPPDATA"); local != "" {
			return strings.TrimRight(local, `\`) + `\` + dirName, nil
		}
		return "", ErrNoPlace
	}
	if state := getenv("XDG_STATE_HOME"); strings.HasPrefix(state, "/") {
		return filepath.Join(state, dirName), nil
	}
	if home := getenv("HOME"); strings.HasPrefix(home, "/") {
		return filepath.Join(home, ".local", "state", dirName), nil
	}
	return "", ErrNoPlace
}

// RunDir has a file for each bridge that runs.
func RunDir(dir string) string { return filepath.Join(dir, "run") }

// LogDir has the logs.
func LogDir(dir string) string { return filepath.Join(dir, "logs") }

// A link of every distro has * for its distro, and its log allLog: Windows has no file with a star in its name.
const (
	everyDistro = "*"
	allLog      = "(all)"
)

// LogFile is the log of what is served in a distro under an id. A distro's name is fit for a file's.
func LogFile(dir, distro, id string) string {
	if distro == everyDistro {
		distro = allLog
	}
	return filepath.Join(LogDir(dir), distro+"-"+id+".log")
}

// ParseLog reads the name of a log.
func ParseLog(name string) (distro, id string, is bool) {
	stem, isLog := strings.CutSuffix(name, ".log")
	i := strings.LastIndexByte(stem, '-')
	if !isLog || i < 0 {
		return "", "", false
	}
	distro, id = stem[:i], stem[i+1:]
	if distro == allLog {
		distro = everyDistro
	}
	return distro, id, true
}
