// Package printable makes foreign text fit for a person's terminal.
//
// Foreign is whatever the program has not written itself: words of a distro, of an engine, of wsl.exe, of a file,
// of the registry, of another process. A terminal obeys control characters, and some of those that are
// invisible reorder a line (U+202E), so that a text could pass for one of ours.
//
// Law: what comes out has nothing that a terminal obeys, is valid UTF-8, and has Max bytes at the most where text
// comes in.
package printable

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Max is how many bytes of a foreign text are shown; three dots stand for the rest. wsl.exe's errors are shorter.
const Max = 4 << 10

// Line replaces control characters and bounds the length, so that foreign text prints as one plain line.
func Line(s string) string { return bounded(Escape(s)) }

// Lines is Line for a text of several lines, which share the bound. Carriage returns are dropped, as before the
// ends of Windows' lines.
func Lines(s string) string {
	return bounded(strings.Map(func(r rune) rune {
		switch r {
		case '\r':
			return -1
		case '\n':
			return r
		}
		return escaped(r)
	}, s))
}

// Escape is Line without the bound. It is for a line of our own that must stay whole, such as a command to
// paste or a line of a log: its foreign words were bounded when they came in.
func Escape(s string) string { return strings.Map(escaped, s) }

func escaped(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case unicode.IsPrint(r):
		return r
	}
	return unicode.ReplacementChar
}

func bounded(s string) string {
	if len(s) <= Max {
		return s
	}
	end := Max
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}
