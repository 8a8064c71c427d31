package config

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// file is what one file says.
type file struct {
	links []Link
	locks locks
}

// parse reads a file. Only the machine's may lock. The error is an Errors.
func parse(name string, text []byte, machine bool) (*file, error) {
	s := &source{name, text}
	if err := s.checkText(); err != nil {
		return nil, Errors{err}
	}
	s.text = bytes.TrimPrefix(text, []byte("\ufeff"))
	root, err := s.tree()
	if err != nil {
		return nil, Errors{err}
	}
	f := &file{locks: locks{where: name}}
	var wrong Errors
	for _, name := range root.names {
		n := root.table[name]
		switch {
		case name == "link":
			wrong = append(wrong, s.links(f, n)...)
		case name == "locked" && machine:
			wrong = append(wrong, s.locked(f, n)...)
		case name == "locked":
			wrong = append(wrong, s.wrong(n.keyAt, "locked is for the machine-wide file"))
		default:
			wrong = append(wrong, s.wrong(n.keyAt, "there is no key "+quoted(name)+didYouMean(name, []string{"link", "locked"})+outside(name)))
		}
	}
	if wrong == nil {
		wrong = f.locks.known(f.links)
	}
	return f, wrong.err()
}

// outside helps who has forgotten the header.
func outside(name string) string {
	for _, k := range keys {
		if k.name == name {
			return ". It belongs below a line [[link]]."
		}
	}
	return ""
}

func (s *source) checkText() *Error {
	switch {
	case len(s.text) > MaxFile:
		return &Error{Position{File: s.file}, fmt.Sprintf("it has more than %d KiB", MaxFile>>10)}
	case bytes.HasPrefix(s.text, []byte("\xff\xfe")), bytes.HasPrefix(s.text, []byte("\xfe\xff")):
		return &Error{Position{s.file, 1, 1}, "it is UTF-16; save it as UTF-8"}
	case bytes.IndexByte(s.text, 0) >= 0:
		return &Error{s.position(bytes.IndexByte(s.text, 0)), "it has a NUL, as UTF-16 has; save it as UTF-8"}
	}
	return nil
}

// links reads all tables [[link]].
func (s *source) links(f *file, n *node) (wrong Errors) {
	if n.kind == unstable.Table || n.kind == unstable.InlineTable {
		return Errors{s.wrong(n.keyAt, "there may be several links; write [[link]]")}
	}
	if n.kind != unstable.Array {
		return Errors{s.wrong(n.at, "it is "+kindName(n)+"; write [[link]] and its keys below")}
	}
	if len(n.list) > MaxLinks {
		return Errors{s.wrong(n.list[MaxLinks].at, fmt.Sprintf("there are more than %d links", MaxLinks))}
	}
	for _, one := range n.list {
		if one.kind != unstable.InlineTable {
			wrong = append(wrong, s.wrong(one.at, "it is "+kindName(one)+"; write [[link]] and its keys below"))
			continue
		}
		l, bad := s.link(one)
		for _, other := range f.links {
			if other.Name == l.Name && l.Name != "" {
				bad = append(bad, &Error{l.set["name"], fmt.Sprintf("there is a link %s already, at line %d", l.Name, other.at.Line)})
			}
		}
		wrong = append(wrong, bad...)
		f.links = append(f.links, l)
	}
	return wrong
}

func (s *source) link(n *node) (l Link, wrong Errors) {
	l = Link{at: s.position(n.at), set: map[string]Position{}}
	for _, name := range n.names {
		child := n.table[name]
		k := keyNamed(name)
		if k == nil {
			wrong = append(wrong, s.wrong(child.keyAt, "a link has no key "+quoted(name)+didYouMean(name, Keys())))
			continue
		}
		l.set[name] = s.position(child.keyAt)
		if at, bad := k.read(&l, child); bad != "" {
			wrong = append(wrong, s.wrong(at, name+": "+bad))
		}
	}
	if _, named := l.set["name"]; !named {
		wrong = append(wrong, s.wrong(n.at, "the link has no name"))
	}
	return l, wrong
}

func keyNamed(name string) *key {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

// locks are what users may not set, and where that is said.
type locks struct {
	where string
	at    map[string]Position // by "link", "link.NAME" and "link.NAME.KEY"
	order []string
}

// locked reads the list of the machine's file.
func (s *source) locked(f *file, n *node) (wrong Errors) {
	if n.kind != unstable.Array {
		return Errors{s.wrong(n.at, "it is "+kindName(n)+"; "+lockForms)}
	}
	f.locks.at = map[string]Position{}
	for _, one := range n.list {
		part := strings.Split(one.text, ".")
		switch {
		case one.kind != unstable.String:
			wrong = append(wrong, s.wrong(one.at, "it is "+kindName(one)+"; "+lockForms))
		case part[0] != "link" || len(part) > 3:
			wrong = append(wrong, s.wrong(one.at, quoted(one.text)+" is nothing to lock; "+lockForms))
		case len(part) == 3 && keyNamed(part[2]) == nil:
			wrong = append(wrong, s.wrong(one.at, "a link has no key "+quoted(part[2])+didYouMean(part[2], Keys())))
		default:
			f.locks.at[one.text] = s.position(one.at)
			f.locks.order = append(f.locks.order, one.text)
		}
	}
	return wrong
}

const lockForms = `write ["link"], which is links of users' own, "link.NAME" or "link.NAME.KEY"`

// known wants links of the file.
func (l *locks) known(links []Link) (wrong Errors) {
	var names []string
	for _, link := range links {
		names = append(names, link.Name)
	}
	for _, lock := range l.order {
		if part := strings.Split(lock, "."); len(part) > 1 && !slices.Contains(names, part[1]) {
			wrong = append(wrong, &Error{l.at[lock], "there is no link " + quoted(part[1]) + " in this file" + didYouMean(part[1], names)})
		}
	}
	return wrong
}

// check says what of a user's link is locked. shared tells that the machine has one of the name.
func (l *locks) check(link *Link, shared bool) (wrong Errors) {
	bar := func(at Position, lock, what string) {
		if by, locked := l.at[lock]; locked {
			wrong = append(wrong, &Error{at, what + " is locked by the administrator, in " + by.String()})
		}
	}
	if !shared {
		bar(link.at, "link", "a link of one's own, "+link.Name+",")
		return wrong
	}
	bar(link.at, "link."+link.Name, "the link "+link.Name)
	for _, k := range keys {
		if at, set := link.set[k.name]; set {
			bar(at, "link."+link.Name+"."+k.name, k.name+" of the link "+link.Name)
		}
	}
	return wrong
}
