package wsl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// Why wsl.exe ended. Each is the Kind of an *EndError.
var (
	ErrNotInstalled   = errors.New("WSL is not installed")
	ErrMustUpdate     = errors.New("WSL must be updated")
	ErrBroken         = errors.New("the installation of WSL is broken")
	ErrNoDistro       = errors.New("WSL has no distro")
	ErrDistroNotFound = errors.New("there is no distro of that name")
	ErrUserNotFound   = errors.New("there is no user of that name in the distro")
	ErrExec           = errors.New("the program can't be run in the distro")
	ErrEnded          = errors.New("wsl.exe ended")
	ErrWaits          = errors.New("wsl.exe waits, for a key perhaps")
)

// EndError says why wsl.exe ended as it did.
type EndError struct {
	Kind     error  // one of the above
	Cause    error  // with ErrExec fs.ErrNotExist or fs.ErrPermission, if that was it; why it was given up
	Code     string // Microsoft's name of it, such as Wsl/Service/WSL_E_DISTRO_NOT_FOUND
	Said     string // what wsl.exe said, decoded; it may have several lines
	ExitCode int
	GivenUp  bool // it had not ended
}

func (e *EndError) Error() string {
	text := fmt.Sprintf("%v (exit code %d)", e.Kind, e.ExitCode)
	if e.GivenUp {
		text = fmt.Sprintf("%v (it was ended)", e.Kind)
	}
	if said := strings.Join(strings.Fields(e.Said), " "); said != "" {
		const shown = 300
		if r := []rune(said); len(r) > shown {
			said = string(r[:shown]) + "..."
		}
		text += ": " + said
	}
	return text
}

func (e *EndError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// Signs of what happened. Codes and option names are the same in every language that
// wsl.exe speaks; its sentences are not, and are looked at only where old versions gave no code.
var signs = []struct {
	kind error
	text []string // all of them must be there
}{
	{ErrDistroNotFound, []string{"/WSL_E_DISTRO_NOT_FOUND"}},
	{ErrUserNotFound, []string{"/WSL_E_USER_NOT_FOUND"}},
	{ErrUserNotFound, []string{"<3>WSL (", "getpwnam(", " failed"}},
	{ErrNoDistro, []string{"/WSL_E_DEFAULT_DISTRO_NOT_FOUND"}},
	{ErrNotInstalled, []string{"/WSL_E_WSL_OPTIONAL_COMPONENT_REQUIRED"}},
	{ErrExec, []string{"<3>WSL (", "execvpe", " failed"}},
	{ErrDistroNotFound, []string{"There is no distribution with the supplied name"}},
	{ErrNoDistro, []string{"Windows Subsystem for Linux has no installed distributions"}},
	{ErrNotInstalled, []string{"Windows Subsystem for Linux is not installed"}},
	// The stub that Windows brings along answers what it does not know with its usage.
	{ErrNotInstalled, []string{"wsl.exe --install", "--exec, -e", "--distribution, -d"}},
	{ErrNotInstalled, []string{"Usage: wsl.exe", "--exec, -e", "--distribution, -d"}},
	// It asks for a key to install or to update WSL. The command and the address stand there in every language.
	{ErrMustUpdate, []string{"wsl.exe --update", "aka.ms/wslinstall"}},
	{ErrNotInstalled, []string{"wsl.exe --install", "aka.ms/wslinstall"}},
	{ErrMustUpdate, []string{"Windows Subsystem for Linux must be updated"}},
	// As it does to repair WSL (src/windows/common/install.cpp). The code is that of Windows Installer's part.
	{ErrBroken, []string{"WSL installation appears to be corrupted"}},
	{ErrBroken, []string{"Wsl/CallMsi/Install/"}},
}

var errorCode = regexp.MustCompile(`\b[Ww]sl/[A-Za-z0-9_/]{1,200}`)

// ExplainEnd says why wsl.exe ended, from what it wrote and its exit code: nil for 0, else an
// *EndError. Its own words are on stdout, those of its relay inside Linux on stderr.
//
// Pass it only what came instead of a program's output or before it: bytes of peers do
// not belong into errors. And take it as a hint: exit code 1 alone is a lost
// virtual machine, a failed exec and a program's own 1 (init.cpp).
func ExplainEnd(stdout, stderr []byte, exitCode int) error {
	if exitCode == 0 {
		return nil
	}
	said := strings.TrimSpace(Decode(stdout) + "\n" + Decode(stderr))
	e := &EndError{Kind: kindOf(said), Code: errorCode.FindString(said), Said: said, ExitCode: exitCode}
	if e.Kind == ErrExec {
		e.Cause = execCause(said)
	}
	return e
}

// AsksForKey reports whether wsl.exe has said so far what it says before it asks for a key, for a minute, and then ends
// in vain: WSL is not installed, broken or too old. Pass it only what answers one of wsl.exe's own options.
func AsksForKey(stdout []byte) bool {
	switch kindOf(Decode(stdout)) {
	case ErrNotInstalled, ErrMustUpdate, ErrBroken:
		return true
	}
	return false
}

// ExplainGivenUp is Explain for a wsl.exe that had not ended when its deadline came: an *EndError that wraps the cause,
// too. It is the cause alone if nothing had been said, or if the cause is another, such as that nobody wants to
// know any more.
func ExplainGivenUp(cause error, stdout, stderr []byte) error {
	said := strings.TrimSpace(Decode(stdout) + "\n" + Decode(stderr))
	if said == "" || !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	kind := kindOf(said)
	if kind == ErrEnded {
		kind = ErrWaits
	}
	return &EndError{Kind: kind, Cause: cause, Code: errorCode.FindString(said), Said: said, GivenUp: true}
}

func kindOf(said string) error {
	for _, sign := range signs {
		if containsAll(said, sign.text) {
			return sign.kind
		}
	}
	return ErrEnded
}

func containsAll(s string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(s, part) {
			return false
		}
	}
	return true
}

// execCause reads the reason of errno, which Linux gives in English there.
func execCause(said string) error {
	switch {
	case strings.Contains(said, "No such file or directory"):
		return fs.ErrNotExist
	case strings.Contains(said, "Permission denied"):
		return fs.ErrPermission
	}
	return nil
}
