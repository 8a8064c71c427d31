package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// entry is a process that somebody starts inside a distro without wsl.exe.
type entry struct {
	User   string
	Distro string
	Args   []string
	Env    []string
}

// enter runs a program in a distro with our own standard files:
// PIDFILE DISTRO USER PROGRAM ARGUMENTS. The program dies with this process, and
// this process ends as the program ends. It goes round the relay: for clients
// like the docker CLI, which a person starts in a shell there.
func enter(args []string) int {
	if len(args) < 4 {
		fmt.Fprintln(os.Stderr, "vm enter: PIDFILE DISTRO USER PROGRAM [ARGUMENT...]")
		return 2
	}
	e := entry{Distro: args[1], User: args[2], Args: args[3:], Env: os.Environ()}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, forwarded()...)
	pid, err := e.start(args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm enter:", err)
		return 125
	}
	go func() { // ends with the process
		for s := range signals {
			unix.Kill(pid, s.(syscall.Signal))
		}
	}()
	return await(pid)
}

// forwarded are the signals that a caller may send and that the program should
// get. From a terminal it gets the first two by itself, being in the foreground.
func forwarded() []os.Signal {
	list := []os.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2}
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err != nil {
		return append(list, syscall.SIGINT, syscall.SIGQUIT)
	}
	signal.Ignore(syscall.SIGINT, syscall.SIGQUIT)
	return list
}

// start goes into the distro's namespaces and forks there. The thread is never
// unlocked again: the death signal of the program hangs on it. (The program sets
// it for itself: ForkExec would take the parent that it can't see for a dead one.)
func (e entry) start(pidFile string) (int, error) {
	runtime.LockOSThread()
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return 0, fmt.Errorf("find init (is the distro running?): %w", err)
	}
	init, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, err
	}
	settings, err := memory(childPlan{Entry: &e})
	if err != nil {
		return 0, err
	}
	fd, err := unix.PidfdOpen(init, 0)
	if err != nil {
		return 0, fmt.Errorf("open init: %w", err)
	}
	// Only a thread that shares its directories with no other may change its
	// mount namespace.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return 0, fmt.Errorf("unshare directories: %w", err)
	}
	if err := unix.Setns(fd, unix.CLONE_NEWNS|unix.CLONE_NEWPID|unix.CLONE_NEWUTS|unix.CLONE_NEWIPC); err != nil {
		return 0, fmt.Errorf("enter distro: %w", err)
	}
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("enter distro: %w", err)
	}
	return syscall.ForkExec(self, []string{"enter", partChild}, &syscall.ProcAttr{
		Dir: "/", Env: []string{}, Files: []uintptr{0, 1, 2, uintptr(null), uintptr(settings)},
	})
}

// await returns the program's exit code. A program that one of the usual signals
// ended takes this process along, so that the caller sees the signal.
func await(pid int) int {
	var status unix.WaitStatus
	for {
		if _, err := unix.Wait4(pid, &status, 0, nil); err != unix.EINTR {
			break
		}
	}
	if !status.Signaled() {
		return status.ExitStatus()
	}
	switch s := status.Signal(); s {
	case unix.SIGKILL, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGPIPE:
		signal.Reset(s)
		unix.Kill(unix.Getpid(), s)
		time.Sleep(time.Second) // it comes to any thread, a moment later
	}
	return 128 + int(status.Signal())
}

// become turns this process into the program.
func (e entry) become() int {
	a, err := findAccount(e.User)
	if err == nil {
		err = a.assume()
	}
	if err == nil {
		// Not before: a change of user clears it.
		err = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm enter:", err)
		return 125
	}
	if os.Getppid() != 0 {
		return 125 // a parent outside has number 0: ours is dead already
	}
	if os.Chdir(a.home) != nil {
		os.Chdir("/")
	}
	err = execute(e.Args[0], e.Args, e.environment(a))
	fmt.Fprintf(os.Stderr, "vm enter: run %s: %v\n", e.Args[0], err)
	return 127
}

// environment is the caller's, and the user's own where the caller has none.
func (e entry) environment(a account) []string {
	env := e.Env
	own := []string{
		"HOME=" + a.home, "USER=" + a.name, "LOGNAME=" + a.name, "SHELL=" + a.shell,
		"PATH=" + searchPath, "LANG=C.UTF-8", "NAME=" + hostName, "WSL_DISTRO_NAME=" + e.Distro,
	}
	for _, v := range own {
		name, _, _ := strings.Cut(v, "=")
		if !slices.ContainsFunc(e.Env, func(s string) bool { return strings.HasPrefix(s, name+"=") }) {
			env = append(env, v)
		}
	}
	return env
}
