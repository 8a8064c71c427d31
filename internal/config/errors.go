package config

import (
	"fmt"
	"unicode/utf8"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// Position is a place in a file. Lines and columns count from 1, columns in characters.
type Position struct {
	File         string
	Line, Column int
}

func (p Position) String() string {
	switch {
	case p.Line == 0:
		return printable.Line(p.File)
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", printable.Line(p.File), p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", printable.Line(p.File), p.Line, p.Column)
}

// Error is one thing that is wrong, and where.
type Error struct {
	At   Position
	Text string
}

func (e *Error) Error() string {
	if e.At == (Position{}) {
		return e.Text
	}
	return e.At.String() + ": " + e.Text
}

// Errors are all things that are wrong, in the order of the files.
type Errors []*Error

// maxErrors bounds how many are told: a file that is something else has thousands.
const maxErrors = 20

func (e Errors) Error() string {
	if len(e) == 1 {
		return e[0].Error()
	}
	return fmt.Sprintf("%v (and %d more)", e[0], len(e)-1)
}

func (e Errors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	return e[:min(len(e), maxErrors)]
}

// quoteShort shows what a file has, cut short and with nothing a terminal obeys.
func quoteShort(s string) string {
	const shown = 60
	if len(s) > shown {
		return fmt.Sprintf("%+q...", s[:shown])
	}
	return fmt.Sprintf("%+q", s)
}

// nearestName is the one of the names that a wrong one looks like, or empty.
func nearestName(wrong string, names []string) string {
	best, name := max(2, utf8.RuneCountInString(wrong)/3)+1, ""
	for _, n := range names {
		if d := editDistance(wrong, n); d < best {
			best, name = d, n
		}
	}
	return name
}

// didYouMean is empty when nothing is near.
func didYouMean(wrong string, names []string) string {
	if n := nearestName(wrong, names); n != "" {
		return "; did you mean " + quoteShort(n) + "?"
	}
	return ""
}

// editDistance counts the characters to add, to take away or to change (Levenshtein). Long texts
// are near to nothing.
func editDistance(a, b string) int {
	const most = 64
	if len(a) > most || len(b) > most {
		return most
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0] // the row's last one, at j
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}
