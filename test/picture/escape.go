package picture

import (
	"bytes"
	"strconv"
	"strings"
)

// escape obeys a sequence that begins with ESC; as take.
func (t *Terminal) escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '[':
		end := bytes.IndexFunc(b[2:], func(r rune) bool { return r >= '@' && r <= '~' })
		if end < 0 {
			return 0
		}
		t.control(string(b[2:2+end]), b[2+end])
		return 3 + end
	case ']': // a title, until BEL or ESC \
		end := bytes.IndexAny(b[2:], "\a\x1b")
		switch {
		case end < 0, b[2+end] == 0x1b && len(b) == 3+end:
			return 0
		case b[2+end] == 0x1b:
			return 4 + end
		}
		return 3 + end
	}
	return 2
}

// control obeys a control sequence.
func (t *Terminal) control(args string, final byte) {
	if private, ok := strings.CutPrefix(args, "?"); ok {
		t.mode(private, final == 'h')
		return
	}
	n := numbers(args)
	first := max(n[0], 1)
	switch final {
	case 'A':
		t.y = max(t.y-first, 0)
	case 'B':
		t.y = min(t.y+first, t.rows-1)
	case 'C':
		t.x = min(t.x+first, t.columns-1)
	case 'D':
		t.x = max(t.x-first, 0)
	case 'G':
		t.x = min(first, t.columns) - 1
	case 'H', 'f':
		t.y, t.x = min(first, t.rows)-1, 0
		if len(n) > 1 {
			t.x = min(max(n[1], 1), t.columns) - 1
		}
	case 'J':
		t.erase(n[0])
	case 'K':
		t.eraseLine(n[0])
	case 'm':
		for _, code := range n {
			t.look(code)
		}
	}
}

func numbers(args string) (n []int) {
	for _, a := range strings.Split(args, ";") {
		i, _ := strconv.Atoi(a) // an empty one is 0
		n = append(n, i)
	}
	return n
}

func (t *Terminal) mode(which string, on bool) {
	switch which {
	case "25":
		t.Hidden = !on
	case "1049":
		switch {
		case on && !t.Alternate:
			main := *t
			fresh := NewTerminal(t.columns, t.rows)
			t.cells, t.saved, t.Alternate = fresh.cells, &main, true
		case !on && t.Alternate:
			t.cells, t.x, t.y, t.style, t.Alternate = t.saved.cells, t.saved.x, t.saved.y, t.saved.style, false
			t.saved = nil
		}
	}
}

// erase takes 0 for what is behind the cursor, 1 for what is before it, 2 for all.
func (t *Terminal) erase(what int) {
	t.eraseLine(what)
	for y := range t.cells {
		if what == 2 || what == 0 && y > t.y || what == 1 && y < t.y {
			t.cells[y] = blank(t.columns)
		}
	}
}

func (t *Terminal) eraseLine(what int) {
	for x := range t.cells[t.y] {
		if what == 2 || what == 0 && x >= t.x || what == 1 && x <= t.x {
			t.cells[t.y][x] = Cell{Rune: ' '}
		}
	}
}

func (t *Terminal) look(code int) {
	switch {
	case code == 0:
		t.style = Style{}
	case code == 1:
		t.style.Bold = true
	case code == 2:
		t.style.Dim = true
	case code == 7:
		t.style.Inverse = true
	case code == 22:
		t.style.Bold, t.style.Dim = false, false
	case code == 27:
		t.style.Inverse = false
	case code >= 30 && code <= 37, code >= 90 && code <= 97:
		t.style.Colour = code
	case code == 39:
		t.style.Colour = 0
	}
}
