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

// parseFile reads a file. Only the machine's may lock. The error is an Errors.
func parseFile(name string, text []byte, machine bool) (*file, error) {
	s := &source{name, text}
	if err := s.checkText(); err != nil {
		return nil, Errors{err}
	}
	s.text = bytes.TrimPrefix(text, []byte("\ufeff"))
	root, err := s.parseTree()
	if err != nil {
		return nil, Errors{err}
	}
	f := &file{locks: locks{where: name}}
	var wrong Errors
	for _, name := range root.names {
		n := root.table[name]
		switch {
		case name == "link":
			wrong = append(wrong, s.parseLinkTables(f, n)...)
		case name == "locked" && machine:
			wrong = append(wrong, s.parseLockList(f, n)...)
		case name == "locked":
			wrong = append(wrong, s.errorAt(n.keyAt, "locked is for the machine-wide file"))
		default:
			wrong = append(wrong, s.errorAt(n.keyAt, "there is no key "+quoteShort(name)+didYouMean(name, []string{"link", "locked"})+hintMissingHeader(name)))
		}
	}
	if wrong == nil {
		wrong = f.locks.checkKnownLinks(f.links)
	}
	return f, wrong.orNil()
}

// hintMissingHeader helps who has forgotten the header.
func hintMissingHeader(name string) string {
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
		return &Error{s.positionAt(bytes.IndexByte(s.text, 0)), "it has a NUL, as UTF-16 has; save it as UTF-8"}
	}
	return nil
}

// parseLinkTables reads all tables [[link]].
func (s *source) parseLinkTables(f *file, n *node) (wrong Errors) {
	if n.kind == unstable.Table || n.kind == unstable.InlineTable {
		return Errors{s.errorAt(n.keyAt, "there may be several links; write [[link]]")}
	}
	if n.kind != unstable.Array {
		return Errors{s.errorAt(n.at, "it is "+kindName(n)+"; write [[link]] and its keys below")}
	}
	if len(n.list) > MaxLinks {
		return Errors{s.errorAt(n.list[MaxLinks].at, fmt.Sprintf("there are more than %d links", MaxLinks))}
	}
	for _, one := range n.list {
		if one.kind != unstable.InlineTable {
			wrong = append(wrong, s.errorAt(one.at, "it is "+kindName(one)+"; write [[link]] and its keys below"))
			continue
		}
		l, bad := s.parseLinkTable(one)
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

func (s *source) parseLinkTable(n *node) (l Link, wrong Errors) {
	l = Link{at: s.positionAt(n.at), set: map[string]Position{}}
	for _, name := range n.names {
		child := n.table[name]
		k := keyNamed(name)
		if k == nil {
			wrong = append(wrong, s.errorAt(child.keyAt, "a link has no key "+quoteShort(name)+didYouMean(name, KeyNames())))
			continue
		}
		l.set[name] = s.positionAt(child.keyAt)
		if at, bad := k.readLinkField(&l, child); bad != "" {
			wrong = append(wrong, s.errorAt(at, name+": "+bad))
		}
	}
	if _, named := l.set["name"]; !named {
		wrong = append(wrong, s.errorAt(n.at, "the link has no name"))
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

// parseLockList reads the list of the machine's file.
func (s *source) parseLockList(f *file, n *node) (wrong Errors) {
	if n.kind != unstable.Array {
		return Errors{s.errorAt(n.at, "it is "+kindName(n)+"; "+lockForms)}
	}
	f.locks.at = map[string]Position{}
	for _, one := range n.list {
		part := strings.Split(one.text, ".")
		switch {
		case one.kind != unstable.String:
			wrong = append(wrong, s.errorAt(one.at, "it is "+kindName(one)+"; "+lockForms))
		case part[0] != "link" || len(part) > 3:
			wrong = append(wrong, s.errorAt(one.at, quoteShort(one.text)+" is nothing to lock; "+lockForms))
		case len(part) == 3 && keyNamed(part[2]) == nil:
			wrong = append(wrong, s.errorAt(one.at, "a link has no key "+quoteShort(part[2])+didYouMean(part[2], KeyNames())))
		default:
			f.locks.at[one.text] = s.positionAt(one.at)
			f.locks.order = append(f.locks.order, one.text)
		}
	}
	return wrong
}

const lockForms = `write ["link"], which is links of users' own, "link.NAME" or "link.NAME.KEY"`

// checkKnownLinks wants links of the file.
func (l *locks) checkKnownLinks(links []Link) (wrong Errors) {
	var names []string
	for _, link := range links {
		names = append(names, link.Name)
	}
	for _, lock := range l.order {
		if part := strings.Split(lock, "."); len(part) > 1 && !slices.Contains(names, part[1]) {
			wrong = append(wrong, &Error{l.at[lock], "there is no link " + quoteShort(part[1]) + " in this file" + didYouMean(part[1], names)})
		}
	}
	return wrong
}

// checkLockedKeys says what of a user's link is locked. shared tells that the machine has one of the name.
func (l *locks) checkLockedKeys(link *Link, shared bool) (wrong Errors) {
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
