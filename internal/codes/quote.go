package codes

import (
	"regexp"
	"strings"
)

// Commands are printed to be pasted. A name or a path in one is written as a word of the shell that
// the command is for, by one of these and by nothing else.

var (
	// plainWord is what sh, bash, zsh and fish change nothing of.
	plainWord = regexp.MustCompile(`^[A-Za-z0-9/._:@%+,-]+$`)
	// plainWindowsWord is what neither PowerShell nor cmd changes anything of: to the first a comma makes a list, to
	// the second a % a variable.
	plainWindowsWord = regexp.MustCompile(`^[A-Za-z0-9/._:+-][A-Za-z0-9/._:+@-]*$`)
	apostrophe       = regexp.MustCompile(`['\x{2018}-\x{201b}]`)
)

// ShWord is a word of a POSIX shell.
func ShWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// FishWord is a word of fish.
func FishWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

// PowerShellWord is a string of PowerShell, to which the typographic apostrophes are apostrophes, too.
func PowerShellWord(s string) string {
	return "'" + apostrophe.ReplaceAllString(s, "$0$0") + "'"
}

// WindowsWord is a word of a command line of Windows, for PowerShell and cmd alike as long as there is such a one: else
// PowerShell's.
func WindowsWord(s string) string {
	switch {
	case plainWindowsWord.MatchString(s):
		return s
	case s == "" || strings.ContainsAny(s, "\"$`%!“”„") || strings.HasSuffix(s, `\`):
		return PowerShellWord(s)
	}
	return `"` + s + `"`
}

// TOMLWord is a string of the configuration.
func TOMLWord(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
