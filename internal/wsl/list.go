package wsl

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrVersion1 says that a distro is one of WSL 1, whose programs are run by Windows itself:
// it has no kernel, no relay and no /run of a virtual machine.
var ErrVersion1 = errors.New("it is a distro of WSL 1, and it takes one of WSL 2")

// ListArgs are the arguments that make wsl.exe tell the names of the distros, default
// first, for ParseList. With no distro it says nothing and exits 0.
func ListArgs() []string { return []string{"--list", "--quiet"} }

// RunningArgs are the arguments that make wsl.exe tell the names of the distros that run,
// for ParseList. It starts none; with none it says nothing and exits 0.
func RunningArgs() []string { return []string{"--list", "--running", "--quiet"} }

// TableArgs are the arguments that make wsl.exe tell of each distro what ParseTable reads.
// With no distro it says so in its own language and ends with an error.
func TableArgs() []string { return []string{"--list", "--verbose"} }

// VersionArgs are the arguments that make wsl.exe tell its version, for ParseVersion. The one that
// Windows brings along does not know them and ends with an error.
func VersionArgs() []string { return []string{"--version"} }

var versionNumber = regexp.MustCompile(`\b\d{1,6}(\.\d{1,6}){2,3}\b`)

// ParseVersion is the first version that VersionArgs asks for, WSL's own, or "". Its line's words are
// of the user's language.
func ParseVersion(b []byte) string { return versionNumber.FindString(Decode(b)) }

// OfDockerDesktop tells Docker Desktop's own distros from those that people use.
func OfDockerDesktop(name string) bool {
	return strings.EqualFold(name, "docker-desktop") || strings.EqualFold(name, "docker-desktop-data")
}

// Distro is a line of wsl.exe's table.
type Distro struct {
	Name    string // without what a terminal would obey; with ErrRow perhaps more of the line
	Default bool
	Version int   // of WSL: 1 or 2; 0 with ErrRow
	Err     error // why it can't be used: ErrName or ErrRow
}

var (
	// ErrName says that a name can't be passed to wsl.exe, which takes off no quotes (see plainName). WSL gives
	// no distro such a name, but takes one from the registry.
	ErrName = errors.New("wsl.exe takes no name that has other characters than letters, digits and . _ -, or starts with -")
	// ErrRow says that a distro is there, and that its line in the table is another than we know.
	ErrRow = errors.New("its line in the table of wsl.exe can't be read")
)

// CheckName returns ErrName for a name that wsl.exe would not read back.
func CheckName(name string) error {
	if !plainName.MatchString(name) {
		return ErrName
	}
	return nil
}

// ParseList reads the names that ListArgs and RunningArgs ask for: a line is a name, whatever it has in it. A
// warning of wsl.exe is left out.
func ParseList(b []byte) []string {
	var names []string
	for line := range textLines(b) {
		if name := strings.TrimSpace(line); name != "" && !strings.HasPrefix(name, "wsl: ") {
			names = append(names, name)
		}
	}
	return names
}

// ParseTable reads the table that TableArgs asks for. wsl.exe writes it with one format for all lines, the head among
// them (ListDistributionsHelper in src/windows/common/WslClient.cpp of microsoft/WSL): a star or a blank, a blank,
// the name, padded to four more than the longest has, the state, padded to 16, and the version. The
// units are those of UTF-16. A name may have blanks, and a state several words in another language. What stands
// around the table, such as a warning, is left out; a line of it is not.
func ParseTable(b []byte) []Distro {
	var distros []Distro
	head := -1 // where the states begin, as the head has it
	for line := range textLines(b) {
		line = strings.TrimRight(line, " ")
		rest, star := strings.CutPrefix(line, "*")
		if !star && !strings.HasPrefix(line, "  ") {
			continue
		}
		if at := headColumn(line); head < 0 && !star && at > 0 {
			head = at
			continue
		}
		name, version := readTableRow(rest, star, head)
		switch {
		case version == 1 || version == 2:
			distros = append(distros, Distro{name, star, version, CheckName(name)})
		case star || head >= 0:
			distros = append(distros, Distro{name, star, 0, ErrRow})
		}
	}
	return distros
}

// gap is what separates two columns: no state and no name of WSL's own has two blanks in it.
var gap = regexp.MustCompile(` {2,}`)

// headColumn is where the second of three columns begins, 0 if the line is no head: a row ends with a digit.
func headColumn(line string) int {
	words := strings.TrimSpace(line)
	if gaps := gap.FindAllStringIndex(words, -1); len(gaps) == 2 && !isDigit(words[len(words)-1]) {
		return countUnits(line[:len(line)-len(words)]) + countUnits(words[:gaps[0][1]])
	}
	return 0
}

// readTableRow reads a line of the table from behind its star: by the column of the head, or, where that does not fit,
// from its end. Version 0 says that it can't be read.
func readTableRow(rest string, star bool, head int) (name string, version int) {
	if star {
		head--
	}
	if n := textAtUnit(rest, head); n > 2 && strings.HasSuffix(rest[:n], "  ") && n < len(rest) && rest[n] != ' ' {
		return strings.TrimSpace(rest[:n]), lastNumber(rest[n:])
	}
	rest = strings.TrimSpace(rest)
	gaps := gap.FindAllStringIndex(rest, -1)
	if len(gaps) < 2 {
		return rest, 0
	}
	return rest[:gaps[len(gaps)-2][0]], lastNumber(rest[gaps[len(gaps)-1][1]:])
}

// lastNumber is the version at the end: a long state stands directly before it.
func lastNumber(s string) int {
	start := len(strings.TrimRight(s, "0123456789"))
	n, err := strconv.Atoi(s[start:])
	if err != nil {
		return 0
	}
	return n
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func countUnits(s string) int { return len(utf16.Encode([]rune(s))) }

// textAtUnit is where the unit of that number of UTF-16 begins in s, or -1.
func textAtUnit(s string, unit int) int {
	for i, r := range s {
		if unit <= 0 {
			break
		}
		if unit -= utf16.RuneLen(r); unit == 0 {
			return i + utf8.RuneLen(r)
		}
	}
	return -1
}
