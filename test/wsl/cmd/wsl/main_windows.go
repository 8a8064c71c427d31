package main

import (
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// rawCommandLine is the text as the parent wrote it: the real wsl.exe never
// looks at a split argv.
func rawCommandLine() string {
	if raw, ok := os.LookupEnv("WSL_STANDIN_RAW"); ok {
		return raw
	}
	return windows.UTF16PtrToString(windows.GetCommandLine())
}

// ignoreBrokenPipes has nothing to do: Windows sends no signal for them.
func ignoreBrokenPipes() {}

// workingDirectory is where the process starts when --cd does not say.
func workingDirectory(cd string) string {
	if cd != "" {
		return cd
	}
	dir, _ := os.Getwd()
	return dir
}

// consoles tells for each standard handle whether it is a console.
func consoles() (c [3]bool) {
	for i, f := range []*os.File{os.Stdin, os.Stdout, os.Stderr} {
		var mode uint32
		c[i] = windows.GetConsoleMode(windows.Handle(f.Fd()), &mode) == nil
	}
	return c
}

// detached is how a process is started that is to stay when this one has gone.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NO_WINDOW}
}
