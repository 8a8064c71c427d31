package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

const (
	dirName  = "docker-wsl-bridge"
	fileName = "config.toml"
)

// ErrNoPlace says that the environment does not tell where a user's file belongs.
var ErrNoPlace = errors.New("find the directory for configuration: the environment does not name one")

// UserFile is where a user's file belongs: in %APPDATA%, on Linux in XDG_CONFIG_HOME if that is
// absolute (XDG base directory specification), else in ~/.config.
func UserFile(goos string, getenv func(string) string) (string, error) {
	if goos == "windows" {
		if roaming := getenv("APPDATA"); roaming != "" {
			return strings.TrimRight(roaming, `\`) + `\` + dirName + `\` + fileName, nil
		}
		return "", ErrNoPlace
	}
	if dir := getenv("XDG_CONFIG_HOME"); strings.HasPrefix(dir, "/") {
		return filepath.Join(dir, dirName, fileName), nil
	}
	if home := getenv("HOME"); strings.HasPrefix(home, "/") {
		return filepath.Join(home, ".config", dirName, fileName), nil
	}
	return "", ErrNoPlace
}

// MachineFile is where the file for all users belongs: in %ProgramData% as the system knows it,
// whatever the environment says, on Linux in /etc. It is empty if the system does not tell.
func MachineFile() string { return machineFile() }

// openTrusted opens a file that nobody but administrators can change or put another one in the
// place of, on Linux root. The error of another one is ErrUntrusted.
//
// On Windows the owners of the file and its directory must be the administrators, the system or
// its installer. Their access lists are not looked at: who owns both has decided them.
func openTrusted(name string) (*os.File, error) { return openTrustedFile(name) }
