package wsl

import (
	"errors"
	"regexp"
	"strings"
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
	Name    string
	Default bool
	Version int // of WSL: 1 or 2
}

// ParseList reads the names that ListArgs asks for. What is no name of a distro, such as
// a warning, is left out.
func ParseList(b []byte) []string {
	var names []string
	for line := range strings.Lines(clean(decode(b))) {
		if name := strings.TrimSpace(line); plainName.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}

// ParseTable reads the table that TableArgs asks for: a star for the default one, name,
// state, version. What is no such line, such as the head of the table, is left out.
func ParseTable(b []byte) []Distro {
	var distros []Distro
	for line := range strings.Lines(clean(decode(b))) {
		var d Distro
		rest, found := strings.CutPrefix(line, "*")
		d.Default = found
		fields := strings.Fields(rest)
		if len(fields) < 3 || !plainName.MatchString(fields[0]) {
			continue
		}
		switch fields[len(fields)-1] { // the state before it may be a translation of several words
		case "1":
			d.Version = 1
		case "2":
			d.Version = 2
		default:
			continue
		}
		d.Name = fields[0]
		distros = append(distros, d)
	}
	return distros
}
