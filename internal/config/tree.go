package config

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// node is a value of a file and where it is.
type node struct {
	kind  unstable.Kind
	at    int    // offset of the value, or of its key where that is known alone
	text  string // of a string or a bool
	list  []*node
	table map[string]*node
	names []string // of the table, in order
	keyAt int      // of the key that leads here
}

func newTable(kind unstable.Kind, at int) *node {
	return &node{kind: kind, at: at, keyAt: at, table: map[string]*node{}}
}

// source is a file's text.
type source struct {
	file string
	text []byte
}

// positionAt counts lines, and characters in the line.
func (s *source) positionAt(offset int) Position {
	before := s.text[:min(offset, len(s.text))]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return Position{s.file, bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(line) + 1}
}

func (s *source) errorAt(offset int, text string) *Error { return &Error{s.positionAt(offset), text} }

// parseTree reads TOML. The library's own decoder says whether the text is valid at all; of
// it only the parser tells where each key and value is.
func (s *source) parseTree() (*node, *Error) {
	var all map[string]any
	if err := toml.Unmarshal(s.text, &all); err != nil {
		return nil, s.invalidSyntax(err)
	}
	root := newTable(unstable.Table, 0)
	current := root
	var p unstable.Parser
	p.Reset(s.text)
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table:
			current = root.enterTable(keyOfNode(e), false)
		case unstable.ArrayTable:
			current = root.enterTable(keyOfNode(e), true)
		case unstable.KeyValue:
			current.addLine(e)
		}
	}
	if err := p.Error(); err != nil { // the decoder has seen none
		return nil, s.invalidSyntax(err)
	}
	return root, nil
}

// invalidSyntax is an error of the library, which may quote the text, in our form.
func (s *source) invalidSyntax(err error) *Error {
	var known *toml.DecodeError
	if !errors.As(err, &known) {
		return &Error{Position{File: s.file}, "it is no TOML: " + printable.Line(err.Error())}
	}
	row, column := known.Position()
	lines := bytes.SplitAfterN(s.text, []byte("\n"), row)
	last := lines[len(lines)-1]
	at := Position{s.file, row, utf8.RuneCount(last[:min(column-1, len(last))]) + 1}
	return &Error{at, "it is no TOML: " + printable.Line(strings.TrimPrefix(known.Error(), "toml: "))}
}

// part is one of a key's, as in to.exec.
type part struct {
	name string
	at   int
}

func keyOfNode(n *unstable.Node) (key []part) {
	for it := n.Key(); it.Next(); {
		key = append(key, part{string(it.Node().Data), int(it.Node().Raw.Offset)})
	}
	return key
}

// enterTable is the table of a header, made if it is not there. Of a list of tables it is the last
// one, and with more a new one.
func (n *node) enterTable(key []part, more bool) *node {
	for i, p := range key {
		next := n.table[p.name]
		switch {
		case more && i == len(key)-1:
			if next == nil {
				next = &node{kind: unstable.Array, at: p.at, keyAt: p.at}
				n.putChildNode(p.name, next)
			}
			next.list = append(next.list, newTable(unstable.InlineTable, p.at))
		case next == nil:
			next = newTable(unstable.Table, p.at)
			n.putChildNode(p.name, next)
		}
		if len(next.list) > 0 {
			next = next.list[len(next.list)-1]
		}
		n = next
	}
	return n
}

func (n *node) putChildNode(name string, child *node) {
	n.names = append(n.names, name)
	n.table[name] = child
}

// addLine adds what a line says.
func (n *node) addLine(e *unstable.Node) {
	key := keyOfNode(e)
	last := key[len(key)-1]
	child := valueOfNode(e.Value(), last.at)
	child.keyAt = last.at
	n.enterTable(key[:len(key)-1], false).putChildNode(last.name, child)
}

// valueOfNode copies a value. A list has no place of its own: it has its key's.
func valueOfNode(v *unstable.Node, keyAt int) *node {
	at := keyAt
	if v.Raw.Length > 0 {
		at = int(v.Raw.Offset)
	}
	n := newTable(v.Kind, at)
	n.text = string(v.Data)
	for it := v.Children(); it.Next(); {
		child := it.Node()
		switch {
		case child.Kind == unstable.Comment:
		case v.Kind == unstable.InlineTable:
			n.addLine(child)
		default:
			n.list = append(n.list, valueOfNode(child, at))
		}
	}
	return n
}
