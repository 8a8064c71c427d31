// Package config reads what a user wants bridged: the links of a file of his and of one for the
// whole machine, put together.
//
// It knows the form of the files, who may set what, and where each value comes from. It does not
// know what an endpoint or a distro is: who uses the links finds that out, and says it with the
// place in the file (Link.Wrong).
//
// Law: nothing that is not understood is passed over; whatever a file has, an error is short and
// has nothing in it that a terminal obeys; the machine's file counts only if nobody but
// administrators can change it.
package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

const (
	// MaxFile bounds a file, in bytes. 256 links with a command each have 100 KiB.
	MaxFile = 1 << 20
	// MaxLinks bounds the links of all files together.
	MaxLinks = 256
)

// The values of keys that are words.
const (
	Auto         = "auto" // to: the engine that is found; paths: as the engine asks for
	Off          = "off"
	Docker       = "docker"
	Raw          = "raw"
	Always       = "always"
	WhileRunning = "while-running"
	All          = "*" // distro: every one that there is
)

const (
	// SharedDir is what the directory that all distros share is called in From, wherever a distro
	// has it.
	SharedDir = "/mnt/wsl"
	// MaxUids bounds the users of a socket in it.
	MaxUids = 32
	// firstUid is the first user of most distros.
	firstUid = 1000
)

// Link is one link, with all its values. What is not set has its default.
type Link struct {
	Name           string
	From           string // an endpoint as people write it
	To             To
	Distro         string // empty: WSL's default one
	Host           string // with the distro All: who serves it first; empty: WSL's default one
	Uids           []int  // with the distro All: who may connect
	Kind           string // Docker or Raw
	Paths          string // Auto or Off
	Context        string // of the docker command, or Off; empty: windows for the default socket, else none
	Mode, Owner    string // of the socket; empty: as the distro has it
	Allow          string // of a pipe: who may connect; empty: the user, the system, the administrators
	KeepAlive      string // Always or WhileRunning
	TrustPipeOwner bool

	at  Position // of the link
	set map[string]Position
}

// To is what a link leads to: an endpoint as people write it, Auto, or a command.
type To struct {
	Place string
	Exec  []string
}

// IsAuto tells that the engine is to be found, and followed.
func (t To) IsAuto() bool { return t.Place == Auto }

// IsReverse tells a link whose clients are on Windows, at a pipe, and whose engine is in the distro.
func (l *Link) IsReverse() bool {
	return strings.HasPrefix(l.From, "npipe:") || strings.HasPrefix(l.From, `\\`)
}

// String is what it is in one line, for people.
func (t To) String() string {
	if t.Exec == nil {
		return t.Place
	}
	return strings.Join(t.Exec, " ")
}

func (t To) equalTo(u To) bool { return t.Place == u.Place && slices.Equal(t.Exec, u.Exec) }

// SourceOf is where a key's value was written, and false if it is the default.
func (l *Link) SourceOf(key string) (Position, bool) {
	p, set := l.set[key]
	return p, set
}

// Equal tells whether two links are the same but for the places where they are written.
func (l *Link) Equal(m *Link) bool {
	for _, k := range keys {
		if !sameValue(k.field(l), k.field(m)) {
			return false
		}
	}
	return true
}

// WrongValue is an error of a key's value, with the place in the file.
func (l *Link) WrongValue(key string, err error) *Error {
	at, set := l.set[key]
	if !set {
		at = l.at
	}
	return &Error{at, "link " + l.Name + ": " + key + ": " + err.Error()}
}

// Config is all that is wanted.
type Config struct {
	Links []Link // at least one: that of no file is the default one
	// Default tells that no file names a link.
	Default bool
	// Files are those that were read, the machine's first.
	Files []string
	// Ignored says why the machine's file does not count although it is there.
	Ignored error
}

// defaultName is that of the link of no file.
const defaultName = "windows"

// mergeFiles puts the files together: a link of the user's changes the keys of the machine's link of
// the same name.
func mergeFiles(machine, user *file) (*Config, error) {
	links := map[string]*Link{}
	var order []string
	var wrong Errors
	for _, f := range []*file{machine, user} {
		for i := range f.links {
			l := &f.links[i]
			if f == user {
				wrong = append(wrong, machine.locks.checkLockedKeys(l, links[l.Name] != nil)...)
			}
			if links[l.Name] == nil {
				links[l.Name] = &Link{Name: l.Name, at: l.at, set: map[string]Position{}}
				order = append(order, l.Name)
			}
			links[l.Name].takeSetKeys(l)
		}
	}
	c := &Config{Default: len(order) == 0}
	if c.Default {
		links[defaultName] = &Link{Name: defaultName}
		order = []string{defaultName}
	}
	for _, name := range order {
		links[name].setDefaults()
		c.Links = append(c.Links, *links[name])
	}
	return c, append(wrong, findPlaceClashes(c.Links)...).orNil()
}

// takeSetKeys sets what another one sets.
func (l *Link) takeSetKeys(from *Link) {
	for _, k := range keys {
		if _, set := from.set[k.name]; set {
			assignField(k.field(l), k.field(from))
		}
	}
	maps.Copy(l.set, from.set)
}

// setDefaults gives all keys that are not set their defaults.
func (l *Link) setDefaults() {
	if _, set := l.set["from"]; !set {
		dir := "/run"
		if l.Distro == All {
			dir = SharedDir
		}
		l.From = "unix:" + dir + "/docker-wsl-bridge/" + l.Name + ".sock"
	}
	if l.Distro == All && len(l.Uids) == 0 {
		l.Uids = []int{firstUid}
	}
	if l.To.Place == "" && l.To.Exec == nil {
		l.To.Place = Auto
	}
	l.Kind = cmp.Or(l.Kind, kindOfTarget(l.To))
	l.Paths = cmp.Or(l.Paths, Auto)
	l.KeepAlive = cmp.Or(l.KeepAlive, Always)
}

// kindOfTarget guesses by the name of a place or the words of a command.
func kindOfTarget(to To) string {
	words := strings.ToLower(to.String())
	if to.IsAuto() || strings.Contains(words, "docker") || strings.Contains(words, "podman") {
		return Docker
	}
	return Raw
}

// findPlaceClashes are links that would serve the same place.
func findPlaceClashes(links []Link) (wrong Errors) {
	for i := range links {
		for j := range links[:i] {
			l, m := &links[i], &links[j]
			if l.From == m.From && (strings.EqualFold(l.Distro, m.Distro) || l.Distro == All || m.Distro == All || l.IsReverse()) {
				wrong = append(wrong, l.WrongValue("from", &clash{l.From, m.Name}))
				break
			}
		}
	}
	return wrong
}

type clash struct{ from, name string }

func (c *clash) Error() string {
	return "the link " + c.name + " has " + quoteShort(c.from) + " already"
}
