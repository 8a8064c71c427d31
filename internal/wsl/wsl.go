// Package wsl is what we know of wsl.exe: where it is, how its command line must be written
// so that it is read back right, and what its words and exit codes mean.
//
// It is knowledge only: it starts nothing and is the same on every platform. What it knows
// was read in microsoft/WSL; the comments name the file. It does not know
// what runs inside a distro, nor when wsl.exe is to be started.
//
// Law: whatever wsl.exe or a distro says is data. It comes out as short, printable text.
package wsl

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// ErrNotFound says that there is no wsl.exe on this machine.
var ErrNotFound = errors.New("there is no wsl.exe")

// Find returns the path of wsl.exe for a program on goos.
//
// On Windows the installed one comes before the one of System32, which may be a mere stub
// that installs WSL, and does not work in session 0 (microsoft/WSL#9231). PATH is not
// asked there: it may name a directory that others write to. On Linux PATH is all there is.
func Find(goos string, getenv func(string) string, exists func(string) bool, lookPath func(string) (string, error)) (string, error) {
	if goos != "windows" {
		path, err := lookPath("wsl.exe")
		if err != nil {
			return "", fmt.Errorf("find wsl.exe: %w", errors.Join(ErrNotFound, err))
		}
		return path, nil
	}
	for _, place := range []struct{ variable, rest string }{
		{"ProgramW6432", `\WSL\wsl.exe`}, // the 64-bit one, whatever we are
		{"ProgramFiles", `\WSL\wsl.exe`},
		{"SystemRoot", `\System32\wsl.exe`},
	} {
		dir := strings.TrimRight(getenv(place.variable), `\`)
		if dir != "" && exists(dir+place.rest) {
			return dir + place.rest, nil
		}
	}
	return "", fmt.Errorf("find wsl.exe: %w", ErrNotFound)
}

// Env is what wsl.exe's environment needs: its own messages in UTF-8 instead of UTF-16.
// Versions before 0.64 ignore it; Decode reads both.
func Env() []string { return []string{"WSL_UTF8=1"} }

// Launch is a program to run inside a distro, without a shell.
type Launch struct {
	Distro string   // empty: the default one
	User   string   // empty: the distro's default user
	Cd     string   // a Linux path, ~, or an absolute Windows path; empty: ours, translated
	Argv   []string // passed to execvpe as it is
}

// maxCommandLine is CreateProcess' limit of 32,767 characters, less room for the path of
// wsl.exe and for quotes.
const maxCommandLine = 30_000

// plainName is what wsl.exe reads back as it was written. It cuts the words before -e at
// blanks and leaves quotes in them (ParseArgument in src/windows/common/helpers.cpp), so a name
// that needs quoting would be looked up with its quotes. WSL itself gives a distro no
// other name (LxssUserSession.cpp).
var plainName = regexp.MustCompile(`^[A-Za-z0-9._][A-Za-z0-9._-]*$`)

// plainProgram is what survives as the first word after -e. CommandLineToArgvW reads that
// one as a program name: a backslash escapes nothing in it and a quote just toggles.
var plainProgram = regexp.MustCompile(`^[^\x00-\x20"\x7f]+$`)

// ArgList returns the arguments for wsl.exe, or says which part it would misread. They
// are written for syscall.EscapeArg, which os/exec applies on Windows.
func (l Launch) ArgList() ([]string, error) {
	if err := l.checkWords(); err != nil {
		return nil, fmt.Errorf("launch in wsl: %w", err)
	}
	var args []string
	for _, option := range [][2]string{{"-d", l.Distro}, {"-u", l.User}, {"--cd", l.Cd}} {
		if option[1] != "" {
			args = append(args, option[0], option[1])
		}
	}
	return append(append(args, "-e"), l.Argv...), nil
}

func (l Launch) checkWords() error {
	if l.Distro != "" && CheckName(l.Distro) != nil {
		return fmt.Errorf("distro name %s: %w", quoteWord(l.Distro), ErrName)
	}
	if l.User != "" && CheckName(l.User) != nil {
		return fmt.Errorf("user name %s: %w", quoteWord(l.User), ErrName)
	}
	if err := checkCdWord(l.Cd); err != nil {
		return err
	}
	return checkArgvWords(l.Argv)
}

// checkCdWord knows that --cd is the one option whose quotes are taken off.
func checkCdWord(dir string) error {
	if dir == "" {
		return nil
	}
	windows := len(dir) > 2 && dir[1] == ':' && (dir[2] == '\\' || dir[2] == '/') || strings.HasPrefix(dir, `\\`)
	if dir != "~" && !strings.HasPrefix(dir, "~/") && !strings.HasPrefix(dir, "/") && !windows {
		return fmt.Errorf("directory %s is neither a Linux path nor an absolute Windows path", quoteWord(dir))
	}
	if strings.ContainsAny(dir, "\"\r\n\x00") || !utf8.ValidString(dir) {
		return fmt.Errorf("directory %s has characters that wsl.exe can't take", quoteWord(dir))
	}
	return nil
}

func checkArgvWords(argv []string) error {
	if len(argv) == 0 {
		return errors.New("there is no program to run")
	}
	if !plainProgram.MatchString(argv[0]) {
		return fmt.Errorf("program %s has blanks, quotes or control characters", quoteWord(argv[0]))
	}
	total := 0
	for _, arg := range argv {
		if strings.ContainsRune(arg, 0) || !utf8.ValidString(arg) {
			return fmt.Errorf("argument %s is no text", quoteWord(arg))
		}
		total += len(arg) + 3
	}
	if total > maxCommandLine {
		return fmt.Errorf("the arguments have %d characters, more than a command line takes", total)
	}
	return nil
}

// quoteWord quotes a word for an error, cut short.
func quoteWord(s string) string {
	const shown = 60
	if len(s) > shown {
		return fmt.Sprintf("%+q...", s[:shown])
	}
	return fmt.Sprintf("%+q", s)
}
