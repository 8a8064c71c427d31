package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/plan"
)

const (
	userID   = plan.UserID
	dockerID = 998
	ttyID    = 5
)

// makeRoot writes the files of a distro's root file system. Its mounts come when
// the distro starts.
func makeRoot(d plan.Distro, root string) error {
	for _, dir := range []string{"dev", "etc", "mnt", "opt", "proc", "root", "run", "sys", "tmp", "usr", "var/lib", "var/log", "var/tmp", mountPoint(d, "wsl"), mountPoint(d, "c")} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	for _, dir := range []string{"tmp", "var/tmp"} {
		if err := os.Chmod(filepath.Join(root, dir), 0o777|fs.ModeSticky); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(root, "root"), 0o700); err != nil {
		return err
	}
	if err := link("/run", filepath.Join(root, "var/run")); err != nil {
		return err
	}
	if err := writeAccounts(d, root); err != nil {
		return err
	}
	if d.Kind == plan.Busybox {
		return installBusybox(root)
	}
	return borrowMachine(root)
}

// mountPoint is where the distro's automount puts something.
func mountPoint(d plan.Distro, name string) string { return d.AutomountRoot + name }

// writeAccounts makes users, groups and the home of the default user.
func writeAccounts(d plan.Distro, root string) error {
	shell := "/bin/sh"
	if d.Kind == plan.Debian {
		shell = "/bin/bash"
	}
	passwd := "root:x:0:0:root:/root:" + shell + "\n"
	group := fmt.Sprintf("root:x:0:\ntty:x:%d:\n", ttyID)
	if d.Kind == plan.Debian {
		passwd += "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
		group += "users:x:100:" + d.User + "\nnogroup:x:65534:\n"
	}
	if d.User != "" {
		passwd += fmt.Sprintf("%s:x:%d:%d::/home/%s:%s\n", d.User, userID, userID, d.User, shell)
		group += fmt.Sprintf("%s:x:%d:\n", d.User, userID)
		home := filepath.Join(root, "home", d.User)
		if err := os.MkdirAll(home, 0o755); err != nil {
			return err
		}
		if err := os.Chown(home, userID, userID); err != nil {
			return err
		}
	}
	if d.DockerGroup {
		group += fmt.Sprintf("docker:x:%d:%s\n", dockerID, d.User)
	}
	return writeFiles(filepath.Join(root, "etc"), map[string]string{
		"passwd":        passwd,
		"group":         group,
		"hostname":      hostName + "\n",
		"hosts":         "127.0.0.1 localhost " + hostName + "\n",
		"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
		"wsl.conf":      "[automount]\nroot = " + d.AutomountRoot + "\n" + d.Conf,
	})
}

func writeFiles(dir string, files map[string]string) error {
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// installBusybox copies the machine's static busybox and makes a link for each
// of its applets.
func installBusybox(root string) error {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return fmt.Errorf("find busybox (apt-get install busybox-static): %w", err)
	}
	image, err := os.ReadFile(busybox)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(root, "bin"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "bin/busybox"), image, 0o755); err != nil {
		return err
	}
	list, err := exec.Command(busybox, "--list-full").Output()
	if err != nil {
		return fmt.Errorf("list applets of busybox: %w", err)
	}
	for _, applet := range strings.Fields(string(list)) {
		if filepath.Base(applet) == "busybox" {
			continue
		}
		path := filepath.Join(root, applet)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := link("/bin/busybox", path); err != nil {
			return err
		}
	}
	return nil
}

// machineDirs are the top directories with programs and libraries. /usr is bound
// read-only; the others are links into it on a merged-usr system, else bound too.
var machineDirs = []string{"/usr", "/bin", "/sbin", "/lib", "/lib64"}

// machineEtc are the parts of /etc that the programs of /usr can't do without.
var machineEtc = []string{"/etc/alternatives", "/etc/ssl", "/etc/ld.so.cache", "/etc/localtime", "/etc/python3", "/etc/python3.11"}

// borrowMachine makes links and mount points for what the distro shares with the
// machine.
func borrowMachine(root string) error {
	for _, path := range append(append([]string{}, machineDirs...), machineEtc...) {
		info, err := os.Lstat(path)
		if err != nil {
			continue // not on this machine, so not in the distro
		}
		inside := filepath.Join(root, path)
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			target, rerr := os.Readlink(path)
			if rerr != nil {
				return rerr
			}
			err = link(target, inside)
		case info.IsDir():
			err = os.MkdirAll(inside, 0o755)
		default:
			err = os.WriteFile(inside, nil, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// link makes a symbolic link, unless the last start of this VM has made it.
func link(target, path string) error {
	if err := os.Symlink(target, path); err != nil && !os.IsExist(err) {
		return err
	}
	return nil
}
