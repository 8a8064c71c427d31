package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
)

// virtioTags has a symbolic link for each share of virtiofs, to what that is on Windows
// (SaveVirtiofsTagMapping in src/linux/init/drvfs.cpp of microsoft/WSL).
const virtioTags = "/run/wsl/virtiofs"

// maxPath is PATH_MAX of Linux.
const maxPath = 4096

// currentDrives are this distro's, now.
func currentDrives() (paths.Drives, error) {
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return paths.Drives{}, fmt.Errorf("list mounts: %w", err)
	}
	return paths.ReadDrives(string(mountinfo), virtioRoot).FollowingLinks(realPath), nil
}

// realPath follows the symbolic links of a path, as far as it is there.
func realPath(path string) string {
	if len(path) > maxPath {
		return path // no program can name that, and each step would be looked at
	}
	for dir, rest := path, ""; ; dir, rest = filepath.Dir(dir), filepath.Join(filepath.Base(dir), rest) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest)
		}
		if dir == filepath.Dir(dir) {
			return path
		}
	}
}

func virtioRoot(tag string) string {
	if strings.Contains(tag, "/") {
		return ""
	}
	root, err := os.Readlink(filepath.Join(virtioTags, tag))
	if err != nil {
		return "" // a share of somebody else
	}
	return root
}
