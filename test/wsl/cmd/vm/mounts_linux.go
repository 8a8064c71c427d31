package main

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/plan"
)

const hostName = "standin"

// mount is one line of a distro's mount table.
type mount struct {
	source, target, kind string
	flags                uintptr
	options              string
}

// distroMounts is the mount table of a distro, in order. /run is as WSL's init
// mounts it: executables may lie there, but not in /run/lock and /run/user.
func distroMounts(v plan.VM, d plan.Distro) []mount {
	const tight = unix.MS_NOSUID | unix.MS_NODEV
	table := []mount{
		{"proc", "/proc", "proc", tight | unix.MS_NOEXEC, ""},
		{"dev", "/dev", "tmpfs", unix.MS_NOSUID, "mode=755"},
		{"devpts", "/dev/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, fmt.Sprintf("newinstance,gid=%d,mode=620,ptmxmode=666", ttyID)},
		{"shm", "/dev/shm", "tmpfs", tight, "mode=1777"},
		{"run", "/run", "tmpfs", tight, "mode=755"},
		{"lock", "/run/lock", "tmpfs", tight | unix.MS_NOEXEC, "mode=1777"},
		{"user", "/run/user", "tmpfs", tight | unix.MS_NOEXEC, "mode=755"},
		{v.Shared(), mountPoint(d, "wsl"), "", unix.MS_BIND, ""},
	}
	if v.DriveC != "" {
		table = append(table, mount{v.DriveC, mountPoint(d, "c"), "", unix.MS_BIND, ""})
	}
	if d.Kind == plan.Debian {
		table = append(table, machineMounts()...)
		if v.Local != "" {
			table = append(table, mount{v.Local, localDir, "", unix.MS_BIND | unix.MS_RDONLY, ""})
		}
	}
	return table
}

// machineMounts binds what is not a link, read-only.
func machineMounts() []mount {
	var table []mount
	for _, path := range append(append([]string{}, machineDirs...), machineEtc...) {
		if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink == 0 {
			table = append(table, mount{path, path, "", unix.MS_BIND | unix.MS_RDONLY, ""})
		}
	}
	return table
}

// buildRoot mounts everything under root and makes it the root of this mount
// namespace. What was there before is out of reach afterwards.
func buildRoot(v plan.VM, d plan.Distro, root string) error {
	// Nothing mounted here may be seen outside, and nothing outside here.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount(root, root, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s: %w", root, err)
	}
	for _, m := range distroMounts(v, d) {
		if err := m.under(root); err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	if err := makeDevices(filepath.Join(root, "dev")); err != nil {
		return err
	}
	return pivot(root)
}

func (m mount) under(root string) error {
	target := filepath.Join(root, m.target)
	if m.kind != "" {
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount(m.source, target, m.kind, m.flags, m.options); err != nil {
		return err
	}
	if m.flags&unix.MS_BIND == 0 || m.flags&unix.MS_RDONLY == 0 {
		return nil
	}
	// The kernel heeds MS_RDONLY on a bind mount only when it is mounted again.
	return unix.Mount("", target, "", m.flags|unix.MS_REMOUNT, "")
}

// makeDevices fills /dev.
func makeDevices(dev string) error {
	defer unix.Umask(unix.Umask(0))
	nodes := []struct {
		name         string
		major, minor uint32
	}{{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}}
	for _, n := range nodes {
		if err := unix.Mknod(filepath.Join(dev, n.name), unix.S_IFCHR|0o666, int(unix.Mkdev(n.major, n.minor))); err != nil {
			return fmt.Errorf("make device %s: %w", n.name, err)
		}
	}
	links := map[string]string{"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
	for name, target := range links {
		if err := link(target, filepath.Join(dev, name)); err != nil {
			return err
		}
	}
	return nil
}

// pivot makes root the root directory and drops the old one.
func pivot(root string) error {
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot root: %w", err)
	}
	// The old root now lies on top of the new one.
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("drop old root: %w", err)
	}
	return unix.Chdir("/")
}
