package support

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// A name stands in a text as it is, or in one of the ways that texts are written in texts: JSON and Go
// (\\, \n, \u0027), URLs (%20), mountinfo (\040), shells ('\'', \ ), HTML (&#39;). What a line means is not
// to be known: C:\new\101 has no escapes. So each line is read in several ways, and what is found in one
// of them is taken out.

// unit is a character as one way of reading has it, and where it stands.
type unit struct {
	r        rune
	from, to int
}

// way is how a line is read.
type way int

const (
	literally way = iota
	decoded       // with escapes that have a number, and of quotes
	unescaped     // with \n, \r, \t and +, too
)

func read(line string, as way) []unit {
	units := make([]unit, 0, len(line))
	for at := 0; at < len(line); {
		if as != literally {
			if list := escaped(line, at, as); len(list) > 0 {
				units = append(units, list...)
				at = list[len(list)-1].to
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(line[at:])
		if r == '+' && as == unescaped { // of a query
			r = ' '
		}
		units = append(units, unit{r, at, at + size})
		at += size
	}
	return units
}

// isPlain tells a line that reads the same in all ways.
func isPlain(line string) bool { return !strings.ContainsAny(line, `\%&'+`) }

// escaped reads an escape.
func escaped(line string, at int, as way) []unit {
	switch line[at] {
	case '%', '\\':
		if list := escapedBytes(line, at); list != nil {
			return list
		}
	case '&':
		for entity, r := range entities {
			if strings.HasPrefix(line[at:], entity) {
				return []unit{{r, at, at + len(entity)}}
			}
		}
	case '\'':
		for _, doubled := range []string{`'\''`, `''`} {
			if strings.HasPrefix(line[at:], doubled) {
				return []unit{{'\'', at, at + len(doubled)}}
			}
		}
	}
	if line[at] != '\\' {
		return nil
	}
	end := at + slashes(line[at:])
	if lead := (end - at - 1) &^ 1; lead > 0 { // a separator, and an escape behind it
		if list := escaped(line, at+lead, as); list[0].r != '\\' {
			return append([]unit{{'\\', at, at + lead}}, list...)
		}
	}
	if end < len(line) {
		if r, size := escapedRune(line[end:], as); size > 0 {
			return []unit{{r, at, end + size}}
		}
	}
	before, _ := utf8.DecodeLastRuneInString(line[:at])
	if end-at > 1 && (at == 0 || !ofWord(before) && before != ':') { // of a share
		return []unit{{'\\', at, at + 1}, {'\\', at + 1, end}}
	}
	return []unit{{'\\', at, end}}
}

// slashes counts backslashes that a text begins with.
func slashes(s string) int { return len(s) - len(strings.TrimLeft(s, `\`)) }

var entities = map[string]rune{"&#39;": '\'', "&#x27;": '\'', "&apos;": '\'', "&quot;": '"', "&#34;": '"', "&amp;": '&', "&nbsp;": ' ', "&#32;": ' '}

// escapedRune reads what is behind backslashes.
func escapedRune(s string, as way) (r rune, size int) {
	switch {
	case strings.ContainsRune("'\" ", rune(s[0])):
		return rune(s[0]), 1
	case as == unescaped && strings.ContainsRune("nrt", rune(s[0])):
		return '\n', 1
	case s[0] == 'u' && len(s) >= 5:
		n, err := strconv.ParseUint(s[1:5], 16, 16)
		if err != nil {
			return 0, 0
		}
		if r = rune(n); utf16.IsSurrogate(r) && len(s) >= 11 && s[5:7] == `\u` {
			if low, err := strconv.ParseUint(s[7:11], 16, 16); err == nil {
				return utf16.DecodeRune(r, rune(low)), 11
			}
		}
		return r, 5
	}
	return 0, 0
}

// escapedBytes reads bytes that stand as numbers, all in a row, as the characters that they are.
func escapedBytes(line string, at int) (list []unit) {
	var bytes []byte
	var ends []int
	for next := at; next < len(line); {
		b, size := escapedByte(line[next:])
		if size == 0 {
			break
		}
		next += size
		bytes, ends = append(bytes, b), append(ends, next)
	}
	for n := 0; n < len(bytes); {
		r, size := utf8.DecodeRune(bytes[n:])
		n += size
		list = append(list, unit{r, at, ends[n-1]})
		at = ends[n-1]
	}
	return list
}

// escapedByte reads %41, %2541, \x41 and \101, whatever the number of backslashes.
func escapedByte(s string) (b byte, size int) {
	number := func(from, digits, base int) (byte, int) {
		if len(s) < from+digits {
			return 0, 0
		}
		n, err := strconv.ParseUint(s[from:from+digits], base, 8)
		if err != nil {
			return 0, 0
		}
		return byte(n), from + digits
	}
	if s[0] == '%' {
		if b, size = number(3, 2, 16); size > 0 && s[1:3] == "25" {
			return b, size
		}
		return number(1, 2, 16)
	}
	n := slashes(s)
	switch {
	case n == 0 || n > 2 || n == len(s):
		return 0, 0
	case s[n] == 'x':
		return number(n+1, 2, 16)
	}
	return number(n, 3, 8)
}

// quoteOrSlash tells what ways of writing put into a name or take out of it.
func quoteOrSlash(r rune) bool { return strings.ContainsRune("'\"`\\", r) }

// fold has each letter in one case, and one blank: a + of a URL is one, too.
func fold(r rune) rune {
	if r == '+' || unicode.IsSpace(r) {
		return ' '
	}
	return unicode.ToLower(unicode.ToUpper(r))
}

func ofWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// words is a tree of names.
type words struct {
	next map[rune]*words
	with string // what stands in for the name that ends here
}

func (w *words) add(name, with string) {
	for _, r := range name {
		if w.next == nil {
			w.next = map[rune]*words{}
		}
		if w.next[r] == nil {
			w.next[r] = &words{}
		}
		w = w.next[r]
	}
	if w.with == "" {
		w.with = with
	}
}

// find gives the longest name that begins at a unit and ends with no letter or digit behind it. skips has
// quotes and backslashes in between left out.
func (w *words) find(units []unit, at int, skips bool) (end int, with string) {
	for n := at; n < len(units); n++ {
		r := units[n].r
		if skips && n > at && quoteOrSlash(r) {
			continue
		}
		if w = w.next[fold(r)]; w == nil {
			return end, with
		}
		if w.with != "" && (n+1 == len(units) || !ofWord(units[n+1].r) || !ofWord(r)) {
			end, with = n+1, w.with
		}
	}
	return end, with
}
