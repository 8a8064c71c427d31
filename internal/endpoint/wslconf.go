package endpoint

import (
	"io"
	"io/fs"
	"strings"
)

// maxConf bounds what is read of wsl.conf, which has 200 bytes as a rule. A longer one counts for nothing.
const maxConf = 256 << 10

// wslConfValue is the value of a key in /etc/wsl.conf, "" if it has none. A file that can't be read says nothing: WSL
// goes on without it, too.
//
// The rules are those of WSL's own parser (src/shared/configfile/configfile.cpp in microsoft/WSL, called by
// WslDistributionConfig.cpp without its flag to skip invalid lines):
//   - A section is [name], a key is name = value; names have letters and digits, and their case counts for
//     nothing. A key before the first section is in none.
//   - A # outside double quotes begins a comment, behind a section or a value as well. A ; does not.
//   - Quotes are taken off wherever they stand, and keep blanks and #. Single ones are characters.
//   - A backslash stands before another one, a quote, b, n or t. Before a line feed it goes on in the next line; a
//     carriage return behind it is dropped, so that before both the value ends.
//   - Of a key that is given twice the first counts, also when it is empty.
//   - At a line that is none of these, such as one with a byte order mark, reading ends: what stood before it counts,
//     what follows does not.
func wslConfValue(etc fs.FS, section, key string) string {
	f, err := etc.Open("wsl.conf")
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConf))
	if err != nil || len(text) == maxConf { // half a value may be another one
		return ""
	}
	value, found := "", false
	parseWSLConf(string(text), func(s, k, v string) {
		if !found && strings.EqualFold(s, section) && strings.EqualFold(k, key) {
			value, found = v, true
		}
	})
	return value
}

// conf is what is left of a configuration file.
type conf struct{ rest string }

// parseWSLConf reports each key with its section and value, until a line can't be read.
func parseWSLConf(text string, report func(section, key, value string)) {
	c, section := conf{text}, ""
	for {
		c.skipCharacters(" \t\r\n")
		switch {
		case c.rest == "":
			return
		case c.takePrefix("#"):
			_, c.rest, _ = strings.Cut(c.rest, "\n")
		case c.takePrefix("["):
			name := c.takeWord()
			if name == "" || !c.takePrefix("]") || !c.endsLine() {
				return
			}
			section = name
		default:
			key := c.takeWord()
			c.skipCharacters(" \t")
			if key == "" || !c.takePrefix("=") {
				return
			}
			c.skipCharacters(" \t")
			value, ok := c.takeValue()
			if !ok {
				return
			}
			report(section, key, value)
		}
	}
}

func (c *conf) skipCharacters(characters string) { c.rest = strings.TrimLeft(c.rest, characters) }

func (c *conf) takePrefix(prefix string) (found bool) {
	c.rest, found = strings.CutPrefix(c.rest, prefix)
	return found
}

// takeWord takes a letter, and what letters and digits follow it.
func (c *conf) takeWord() string {
	n := 0
	for n < len(c.rest) && (isLetter(c.rest[n]) || n > 0 && c.rest[n] >= '0' && c.rest[n] <= '9') {
		n++
	}
	word := c.rest[:n]
	c.rest = c.rest[n:]
	return word
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

// endsLine reports whether a line has nothing more but blanks and a comment, and skips the blanks.
func (c *conf) endsLine() bool {
	c.skipCharacters(" \t")
	return c.rest == "" || strings.IndexByte("\r\n#", c.rest[0]) >= 0
}

// takeValue takes a value up to the end of its line or its comment.
func (c *conf) takeValue() (string, bool) {
	var value strings.Builder
	quoted, kept := false, 0 // kept is the length without the blanks at the end
	for c.rest != "" && c.rest[0] != '\n' && c.rest[0] != '\r' && (quoted || c.rest[0] != '#') {
		b := c.rest[0]
		c.rest = c.rest[1:]
		switch b {
		case '"':
			quoted = !quoted
		case '\\':
			if !c.takeEscape(&value) {
				return "", false
			}
		default:
			value.WriteByte(b)
		}
		if b != ' ' && b != '\t' {
			kept = value.Len()
		}
	}
	text, _, _ := strings.Cut(value.String()[:kept], "\x00") // it becomes a string of C there
	return text, !quoted
}

// takeEscape takes what follows a backslash.
func (c *conf) takeEscape(value *strings.Builder) bool {
	if c.rest == "" {
		return false
	}
	b := c.rest[0]
	c.rest = c.rest[1:]
	switch b {
	case '\\', '"':
		value.WriteByte(b)
	case 'b':
		value.WriteByte('\b')
	case 'n':
		value.WriteByte('\n')
	case 't':
		value.WriteByte('\t')
	case '\r', '\n': // the line goes on, or ends behind the carriage return
	default:
		return false
	}
	return true
}
