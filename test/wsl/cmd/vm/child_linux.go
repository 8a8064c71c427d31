package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// What the child finds open beside its standard files.
const (
	childTerminal = 3
	childSettings = 4
)

// localDir is what comes first on a PATH; on a Debian nothing is in it by itself.
const localDir = "/usr/local/sbin"

const searchPath = localDir + ":/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// childPlan is what the child is to become: a launch, or a way in.
type childPlan struct {
	Launch *guestLaunch
	Entry  *entry
}

// runChild is the time between fork and exec. It returns only when that fails,
// with the exit code WSL has for it; what it has to say goes to the child's own
// standard error, as there (common.h, LOG_ERROR).
func runChild() int {
	var p childPlan
	unix.CloseOnExec(childTerminal)
	if err := recall(childSettings, &p); err != nil {
		return complain("recall", err.Error())
	}
	// A handler becomes the default at exec; a signal that our own parents
	// ignored would stay ignored.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE)
	if p.Entry != nil {
		return p.Entry.become()
	}
	return become(*p.Launch)
}

// become turns this process into the launched one.
func become(l guestLaunch) int {
	if l.Untranslated {
		fmt.Fprintf(os.Stderr, "wsl: Failed to translate '%s'\n", l.Cwd)
	}
	a, err := chooseAccount(l)
	if err != nil {
		complain("CreateProcessParseCommon:2908", fmt.Sprintf("getpwnam(%s) failed 0", l.User))
		return wire.ExitUserNotFound
	}
	unix.Umask(0o022)
	unix.Fchown(childTerminal, a.uid, ttyID)
	unix.Close(childTerminal)
	if err := a.assume(); err != nil {
		return complain("CreateProcessCommon:760", err.Error())
	}
	dir := l.Dir
	switch {
	case dir == "":
		dir = a.home
	case dir[0] == '~':
		dir = a.home + dir[1:]
	}
	if err := os.Chdir(dir); err != nil {
		complain("CreateProcessCommon:790", fmt.Sprintf("chdir(%s) failed %d", dir, errnoOf(err)))
	}
	file, args := commandOf(l, a)
	err = execute(file, args, environment(l, a))
	return complain("CreateProcessCommon:798", fmt.Sprintf("execvpe(%s) failed: %s", file, sentence(err)))
}

// chooseAccount is the named user, or the distro's default one, or root.
func chooseAccount(l guestLaunch) (account, error) {
	if l.User != "" {
		return findAccount(l.User)
	}
	if l.DefaultUser != "" {
		if a, err := findAccount(l.DefaultUser); err == nil {
			return a, nil
		}
	}
	return findAccount("root")
}

// commandOf is the program and its arguments: those given, or the user's shell
// before them.
func commandOf(l guestLaunch, a account) (string, []string) {
	if l.File != "" {
		return l.File, l.Args
	}
	name := a.shell
	if l.Login {
		name = "-" + path.Base(a.shell)
	}
	return a.shell, append([]string{name}, l.Args...)
}

// environment is all the process gets: what WSL sets and what WSLENV lists.
func environment(l guestLaunch, a account) []string {
	env := []string{
		"HOME=" + a.home, "USER=" + a.name, "LOGNAME=" + a.name, "SHELL=" + a.shell,
		"PATH=" + searchPath, "LANG=C.UTF-8", "NAME=" + hostName,
		"WSL_DISTRO_NAME=" + l.Distro, "WSL_INTEROP=" + l.Interop,
	}
	for _, v := range l.Env {
		env = append(env, v.Name+"="+v.Value)
	}
	return env
}

// execute is execvpe: a name without a slash is searched for, and a file the
// kernel can't run is given to the shell.
func execute(file string, args, env []string) error {
	candidates := []string{file}
	if !strings.Contains(file, "/") {
		candidates = nil
		for _, dir := range strings.Split(searchPath, ":") {
			candidates = append(candidates, dir+"/"+file)
		}
	}
	var found error = unix.ENOENT
	for _, c := range candidates {
		err := syscall.Exec(c, args, env)
		if err == unix.ENOEXEC {
			err = syscall.Exec("/bin/sh", append([]string{"/bin/sh", c}, args[1:]...), env)
		}
		if err != unix.ENOENT && err != unix.ENOTDIR {
			found = err
		}
	}
	return found
}

// complain writes one line of WSL's log and returns the code of its fatal errors.
func complain(where, what string) int {
	fmt.Fprintf(os.Stderr, "<3>WSL (%d - Relay) ERROR: %s: %s\n", os.Getpid(), where, what)
	return 1
}

func errnoOf(err error) int {
	var errno syscall.Errno
	errors.As(err, &errno)
	return int(errno)
}

// sentence is an error in the C library's words, which begin with a capital.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
