package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// account is a line of /etc/passwd with the groups of its user.
type account struct {
	name, home, shell string
	uid, gid          int
	groups            []int
}

// findAccount looks a name up in the distro's own files. A number is no name.
func findAccount(name string) (account, error) {
	lines, err := fields("/etc/passwd", 7)
	if err != nil {
		return account{}, err
	}
	for _, f := range lines {
		if f[0] != name {
			continue
		}
		a := account{name: name, home: f[5], shell: f[6]}
		if a.uid, err = strconv.Atoi(f[2]); err != nil {
			return account{}, err
		}
		if a.gid, err = strconv.Atoi(f[3]); err != nil {
			return account{}, err
		}
		if a.shell == "" {
			a.shell = "/bin/sh"
		}
		a.groups, err = groupsOf(name, a.gid)
		return a, err
	}
	return account{}, fmt.Errorf("find user: no %s", name)
}

func groupsOf(name string, primary int) ([]int, error) {
	lines, err := fields("/etc/group", 4)
	if err != nil {
		return nil, err
	}
	groups := []int{primary}
	for _, f := range lines {
		gid, err := strconv.Atoi(f[2])
		if err == nil && gid != primary && slices.Contains(strings.Split(f[3], ","), name) {
			groups = append(groups, gid)
		}
	}
	return groups, nil
}

// fields splits the lines of an account file that have n fields.
func fields(file string, n int) ([][]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var lines [][]string
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(strings.TrimSuffix(line, "\n"), ":"); len(f) == n {
			lines = append(lines, f)
		}
	}
	return lines, nil
}

// assume makes this process the user's.
func (a account) assume() error {
	if err := syscall.Setgroups(a.groups); err != nil {
		return fmt.Errorf("set groups: %w", err)
	}
	if err := syscall.Setgid(a.gid); err != nil {
		return fmt.Errorf("set group: %w", err)
	}
	if err := syscall.Setuid(a.uid); err != nil {
		return fmt.Errorf("set user: %w", err)
	}
	return nil
}
