package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "administrator: error:", err)
		code = 1
	}
	os.Exit(code)
}

func run(argv []string) (code int, err error) {
	if len(argv) == 0 {
		return 0, errors.New("there is no program to run")
	}
	token, err := elevated()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Token: syscall.Token(token)}
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// elevated is the token of an administrator, 0 when our own is one.
func elevated() (windows.Token, error) {
	own := windows.GetCurrentProcessToken()
	if own.IsElevated() {
		return 0, nil
	}
	linked, err := own.GetLinkedToken()
	if err != nil {
		return 0, fmt.Errorf("get the administrator's token: %w", err)
	}
	defer linked.Close()
	var token windows.Token // for the life of this process
	if err := windows.DuplicateTokenEx(linked, windows.MAXIMUM_ALLOWED, nil, windows.SecurityImpersonation, windows.TokenPrimary, &token); err != nil {
		return 0, fmt.Errorf("duplicate the administrator's token: %w", err)
	}
	return token, nil
}
