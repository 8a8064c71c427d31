package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
)

const stateName = "docker-wsl-bridge"

var errNoState = errors.New("find a directory for the user's state: neither the environment nor the system names one")

// stateDir is where this user's files of ours are: who runs, and the logs.
func stateDir() (string, error) { return stateDirOf(runtime.GOOS, os.Getenv) }

// stateDirOf takes XDG_STATE_HOME if it is absolute, as the XDG base directory specification asks.
func stateDirOf(goos string, getenv func(string) string) (string, error) {
	if goos == "windows" {
		if local := getenv("LOCALAPPDATA"); local != "" {
			return strings.TrimRight(local, `\`) + `\` + stateName, nil
		}
		return "", errNoState
	}
	if state := getenv("XDG_STATE_HOME"); strings.HasPrefix(state, "/") {
		return filepath.Join(state, stateName), nil
	}
	if home := getenv("HOME"); strings.HasPrefix(home, "/") {
		return filepath.Join(home, ".local", "state", stateName), nil
	}
	return "", errNoState
}

// runDir has a file for each bridge that runs.
func runDir(state string) string { return filepath.Join(state, "run") }

// allLog stands where the log of a link has its distro, for what all distros have. Windows has no file
// with a star in its name.
const allLog = "(all)"

// logFile is a place's. A distro's name is fit for a file's.
func logFile(state string, p control.Place) string {
	name := p.Distro
	if p.Everywhere() {
		name = allLog
	}
	return filepath.Join(state, "logs", name+"-"+p.ID()+".log")
}

// remember records what is made in a distro, for uninstall.
func remember(m install.Made) error {
	state, err := stateDir()
	if err != nil {
		return err
	}
	return install.Remember(state, m)
}
