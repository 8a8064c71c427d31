package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// key is one that a link may have. From this table files are read, printed and described.
type key struct {
	name  string
	field func(*Link) any // *string, *bool, *[]int or *To
	words []string        // the only values, if there are any
	help  string          // for editors
}

var keys = []key{
	{"name", func(l *Link) any { return &l.Name }, nil,
		"What the link is called: up to 32 lower-case letters, digits, - and _. Required."},
	{"from", func(l *Link) any { return &l.From }, nil,
		"Where clients connect: unix:/PATH, a socket in the distro, or npipe:////./pipe/NAME, a pipe on Windows. Default: unix:/run/docker-wsl-bridge/NAME.sock."},
	{"to", func(l *Link) any { return &l.To }, nil,
		"What they reach on Windows: npipe:////./pipe/NAME or the NAME of a pipe; auto, the first engine for Windows containers, followed when it moves; or { exec = [\"PROGRAM\", \"ARGUMENT\"] }, a command whose stdin and stdout are the connection. With a pipe as from it is unix:/PATH, a socket in the distro. Default: auto."},
	{"distro", func(l *Link) any { return &l.Distro }, nil,
		"The WSL2 distro, or * for one socket that all distros see. Default: WSL's default one."},
	{"host", func(l *Link) any { return &l.Host }, nil,
		"With distro = \"*\": the distro that serves it, as long as it runs. Default: WSL's default one."},
	{"uids", func(l *Link) any { return &l.Uids }, nil,
		"With distro = \"*\": the numbers of the users who may connect, which are users of every distro. Default: [1000]."},
	{"kind", func(l *Link) any { return &l.Kind }, []string{Docker, Raw},
		"What answers there: a Docker engine, or any other byte stream. Default: docker if to is auto or has docker or podman in it, else raw."},
	{"paths", func(l *Link) any { return &l.Paths }, []string{Auto, Off},
		"Whether paths of the distro become Windows' in requests to an engine for Windows containers. Default: auto."},
	{"context", func(l *Link) any { return &l.Context }, nil,
		"The docker context to make for the distro's default user; off makes none. Default: windows for the socket /run/docker-wsl-bridge/windows.sock, else none."},
	{"mode", func(l *Link) any { return &l.Mode }, nil,
		"The socket's permissions, octal. Default: 0660 where the distro has a group docker, else 0600."},
	{"owner", func(l *Link) any { return &l.Owner }, nil,
		"The socket's USER, USER:GROUP or :GROUP. Default: root:docker where the distro has that group, else its default user."},
	{"allow", func(l *Link) any { return &l.Allow }, nil,
		"Who may connect to a pipe of from, besides oneself: accounts and groups of Windows, names or SIDs with commas between. Default: the system and the administrators."},
	{"keep-alive", func(l *Link) any { return &l.KeepAlive }, []string{Always, WhileRunning},
		"Whether the distro stays up, or may stop when nobody else uses it. Default: always."},
	{"trust-pipe-owner", func(l *Link) any { return &l.TrustPipeOwner }, nil,
		"Take the pipe whoever owns it, instead of the system's, the administrators' and one's own alone. Default: false."},
}

// KeyNames are the names of a link's keys, in order.
func KeyNames() []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}

func assignField(to, from any) {
	switch to := to.(type) {
	case *string:
		*to = *from.(*string)
	case *bool:
		*to = *from.(*bool)
	case *[]int:
		*to = *from.(*[]int)
	case *To:
		*to = *from.(*To)
	}
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case *string:
		return *a == *b.(*string)
	case *bool:
		return *a == *b.(*bool)
	case *[]int:
		return slices.Equal(*a, *b.(*[]int))
	}
	return a.(*To).equalTo(*b.(*To))
}

// readLinkField sets a link's field, or says what is wrong with the value and where.
func (k *key) readLinkField(l *Link, n *node) (at int, wrong string) {
	switch f := k.field(l).(type) {
	case *bool:
		if n.kind != unstable.Bool {
			return n.at, "it is " + kindName(n) + "; write true or false"
		}
		*f = n.text == "true"
	case *To:
		return f.readTarget(n)
	case *[]int:
		*f, at, wrong = readUids(n)
		return at, wrong
	case *string:
		if n.kind != unstable.String {
			return n.at, "it is " + kindName(n) + "; write text in quotes"
		}
		*f = n.text
		return n.at, k.judgeTextValue(n.text)
	}
	return 0, ""
}

const uidsForm = "write a list of numbers, as in [1000, 1001]"

func readUids(n *node) (list []int, at int, wrong string) {
	switch {
	case n.kind != unstable.Array:
		return nil, n.at, "it is " + kindName(n) + "; " + uidsForm
	case len(n.list) == 0:
		return nil, n.at, "it is empty; leave the line out"
	case len(n.list) > MaxUids:
		return nil, n.at, fmt.Sprintf("there are more than %d", MaxUids)
	}
	for _, one := range n.list {
		if one.kind != unstable.Integer {
			return nil, one.at, "one of it is " + kindName(one) + "; " + uidsForm
		}
		uid, err := strconv.ParseUint(one.text, 10, 31)
		if err != nil {
			return nil, one.at, quoteShort(one.text) + " is no user's number; " + uidsForm
		}
		if !slices.Contains(list, int(uid)) {
			list = append(list, int(uid))
		}
	}
	slices.Sort(list)
	return list, n.at, ""
}

// judgeTextValue says what is wrong with a text, or nothing.
func (k *key) judgeTextValue(s string) string {
	switch {
	case s == "":
		return "it is empty; leave the line out"
	case k.name == "name" && !isName(s):
		return quoteShort(s) + " is no name; write up to 32 lower-case letters, digits, - and _, a letter first"
	case k.words != nil && !slices.Contains(k.words, s):
		return fmt.Sprintf("there is no %s; write %s%s", quoteShort(s), strings.Join(k.words, " or "), didYouMean(s, k.words))
	case strings.ContainsFunc(s, isControl):
		return "it has a character that can't be printed"
	}
	return ""
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func isName(s string) bool {
	const most = 32
	for i, r := range s {
		letter := r >= 'a' && r <= 'z'
		if !letter && (i == 0 || (r < '0' || r > '9') && r != '-' && r != '_') {
			return false
		}
	}
	return s != "" && len(s) <= most
}

const toForms = `write "auto", the name of a place, or { exec = ["PROGRAM", "ARGUMENT"] }`

func (t *To) readTarget(n *node) (at int, wrong string) {
	*t = To{}
	switch {
	case n.kind == unstable.String && n.text == "":
		return n.at, "it is empty; " + toForms
	case n.kind == unstable.String && strings.ContainsFunc(n.text, isControl):
		return n.at, "it has a character that can't be printed"
	case n.kind == unstable.String:
		t.Place = n.text
		return 0, ""
	case n.kind != unstable.InlineTable && n.kind != unstable.Table:
		return n.at, "it is " + kindName(n) + "; " + toForms
	}
	for _, name := range n.names {
		if name != "exec" {
			return n.table[name].keyAt, "there is no key " + quoteShort(name) + " in it; " + toForms
		}
	}
	exec := n.table["exec"]
	if exec == nil || exec.kind != unstable.Array || len(exec.list) == 0 {
		return n.at, "exec is no list of words; " + toForms
	}
	for _, word := range exec.list {
		if word.kind != unstable.String {
			return word.at, "a word of exec is " + kindName(word) + "; write text in quotes"
		}
		if strings.ContainsRune(word.text, 0) || word == exec.list[0] && word.text == "" {
			return word.at, "it is no word of a command"
		}
		t.Exec = append(t.Exec, word.text)
	}
	return 0, ""
}

// kindName is what a value is, in words.
func kindName(n *node) string {
	switch n.kind {
	case unstable.String:
		return "text"
	case unstable.Bool:
		return "true or false"
	case unstable.Integer, unstable.Float:
		return "a number"
	case unstable.Array:
		return "a list"
	case unstable.Table, unstable.InlineTable:
		return "a table"
	}
	return "a date or time"
}
