package picture

import (
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// Follow has the terminal show what comes, each piece with the lock, until no more does.
func (t *Terminal) Follow(from io.Reader, lock sync.Locker) {
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		lock.Lock()
		_, _ = t.Write(b[:n])
		lock.Unlock()
	}
}

// Style is how a cell looks. Colour is one of ANSI's: 30 to 37 or 90 to 97, 0 for none.
type Style struct {
	Bold, Dim, Inverse bool
	Colour             int
}

// Cell is one character of a screen.
type Cell struct {
	Rune rune
	Style
}

// Line is a line of a screen, or a part of one from its left edge on.
type Line []Cell

// Text is the line without its looks and without the blanks at its end.
func (l Line) Text() string {
	var text strings.Builder
	for _, c := range l {
		text.WriteRune(c.Rune)
	}
	return strings.TrimRight(text.String(), " ")
}

// Plain is text as lines of a screen.
func Plain(text string) (lines []Line) {
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		var l Line
		for _, r := range line {
			l = append(l, Cell{Rune: r})
		}
		lines = append(lines, l)
	}
	return lines
}

// Terminal is a screen that takes what a program writes: text, UTF-8, and the commonest of
// xterm's sequences. Characters are one cell wide. It is not safe for concurrent use.
type Terminal struct {
	// Alternate tells whether the alternate screen is shown, Hidden whether the cursor is not.
	Alternate, Hidden bool

	columns, rows int
	cells         []Line
	x, y          int
	style         Style
	saved         *Terminal // the main screen, while the alternate one is shown
	rest          []byte    // the beginning of a sequence, or of a character
}

// NewTerminal makes an empty one.
func NewTerminal(columns, rows int) *Terminal {
	t := &Terminal{columns: columns, rows: rows}
	for range rows {
		t.cells = append(t.cells, blank(columns))
	}
	return t
}

// Resize gives it another size: lines are cut, or longer, and none wraps.
func (t *Terminal) Resize(columns, rows int) {
	fresh := NewTerminal(columns, rows)
	for y := range min(rows, t.rows) {
		copy(fresh.cells[y], t.cells[y])
	}
	t.columns, t.rows, t.cells = columns, rows, fresh.cells
	t.x, t.y = min(t.x, columns-1), min(t.y, rows-1)
	if t.saved != nil {
		t.saved.Resize(columns, rows)
	}
}

func blank(columns int) Line {
	l := make(Line, columns)
	for i := range l {
		l[i].Rune = ' '
	}
	return l
}

// Lines is the screen as it is, without empty lines at its end.
func (t *Terminal) Lines() []Line {
	end := len(t.cells)
	for end > 0 && t.cells[end-1].Text() == "" {
		end--
	}
	lines := make([]Line, end)
	for i := range lines {
		lines[i] = append(Line(nil), t.cells[i]...)
	}
	return lines
}

// Text is the screen without its looks.
func (t *Terminal) Text() string {
	var text strings.Builder
	for _, l := range t.Lines() {
		text.WriteString(l.Text() + "\n")
	}
	return text.String()
}

// Write takes output. It never fails.
func (t *Terminal) Write(b []byte) (int, error) {
	n := len(b)
	b = append(t.rest, b...)
	t.rest = nil
	for len(b) > 0 {
		used := t.take(b)
		if used == 0 {
			t.rest = append([]byte(nil), b...)
			break
		}
		b = b[used:]
	}
	return n, nil
}

// take obeys what b begins with, and tells how long that was: 0 if its end is yet to come.
func (t *Terminal) take(b []byte) int {
	switch b[0] {
	case '\r':
		t.x = 0
	case '\n':
		t.newLine()
	case '\b':
		t.x = max(t.x-1, 0)
	case '\t':
		t.x = min((t.x/8+1)*8, t.columns-1)
	case 0x1b:
		return t.escape(b)
	default:
		if b[0] < ' ' || b[0] == 0x7f {
			return 1
		}
		if !utf8.FullRune(b) {
			return 0
		}
		r, n := utf8.DecodeRune(b)
		t.put(r)
		return n
	}
	return 1
}

func (t *Terminal) put(r rune) {
	if t.x == t.columns {
		t.x = 0
		t.newLine()
	}
	t.cells[t.y][t.x] = Cell{r, t.style}
	t.x++
}

func (t *Terminal) newLine() {
	if t.y++; t.y == t.rows {
		t.y--
		t.cells = append(t.cells[1:], blank(t.columns))
	}
}
