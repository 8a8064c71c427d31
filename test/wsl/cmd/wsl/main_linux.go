package main

import (
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// rawCommandLine joins argv as a Go program on Windows joins it (EscapeArg in
// package syscall), so that the parser meets the text it would meet there.
func rawCommandLine() string {
	if raw, ok := os.LookupEnv("WSL_STANDIN_RAW"); ok {
		return raw
	}
	escaped := make([]string, len(os.Args))
	for i, arg := range os.Args {
		escaped[i] = escapeArg(arg)
	}
	return strings.Join(escaped, " ")
}

// ignoreBrokenPipes turns a write to a closed standard output into an error: a
// Go program would die of SIGPIPE there, wsl.exe does not.
func ignoreBrokenPipes() { signal.Ignore(syscall.SIGPIPE) }

// workingDirectory is where the process starts when --cd does not say: at home,
// as for every Windows directory that has no place in the distro.
func workingDirectory(cd string) string { return cd }

// consoles tells for each standard handle whether it is a terminal.
func consoles() (c [3]bool) {
	for fd := range c {
		_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		c[fd] = err == nil
	}
	return c
}

// detached is how a process is started that is to stay when this one has gone.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
