package main

import (
	"errors"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/plan"
)

var errUntranslatable = errors.New("translate path: not on drive C")

// translate turns a Windows path on drive C into the path the distro has for it.
// Linux paths, home-relative ones and none at all stay as they are.
func translate(d plan.Distro, path string) (string, error) {
	if path == "" || path[0] == '/' || path[0] == '~' {
		return path, nil
	}
	if !isDrivePath(path, 'c') {
		return "", errUntranslatable
	}
	return strings.TrimSuffix(d.AutomountRoot+"c"+slashes(path[2:]), "/"), nil
}

func isDrivePath(path string, drive byte) bool {
	return len(path) >= 2 && path[0]|0x20 == drive && path[1] == ':'
}

func slashes(path string) string { return strings.ReplaceAll(path, `\`, "/") }
