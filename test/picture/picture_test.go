package picture

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

func screenOf(written ...string) *Terminal {
	t := NewTerminal(20, 4)
	for _, w := range written {
		_, _ = io.WriteString(t, w)
	}
	return t
}

func TestTerminal(t *testing.T) {
	for name, tc := range map[string]struct {
		written string
		want    string
	}{
		"text":                   {"one\r\ntwo", "one\ntwo\n"},
		"a line too long":        {"0123456789012345678901234", "01234567890123456789\n01234\n"},
		"a full line":            {"01234567890123456789\r\nnext", "01234567890123456789\nnext\n"},
		"lines too many":         {"1\r\n2\r\n3\r\n4\r\n5", "2\n3\n4\n5\n"},
		"written over":           {"one\rtwo", "two\n"},
		"backspace, tab":         {"ab\bc\td", "ac      d\n"},
		"home and erase":         {"old\r\nold\x1b[H\x1b[Jnew", "new\n"},
		"the rest of a line":     {"0123456\x1b[3G\x1b[K", "01\n"},
		"a place":                {"\x1b[2;4Hx", "\n   x\n"},
		"a place outside":        {"\x1b[99;99Hx", "\n\n\n                   x\n"},
		"moves":                  {"abc\x1b[2Dx\x1b[By\x1b[Az\x1b[Cw", "axcz w\n  y\n"},
		"a title":                {"\x1b]0;title\aa\x1b]0;title\x1b\\b", "ab\n"},
		"unknown":                {"a\x1b[5qb\x1b[?7hc\x1b=d\x00\x7fe", "abcde\n"},
		"UTF-8":                  {"↑ü", "↑ü\n"},
		"the other screen":       {"main\x1b[?1049h\x1b[Hother", "other\n"},
		"and back":               {"main\x1b[?1049h\x1b[Hother\x1b[?1049l!", "main!\n"},
		"back from nowhere else": {"main\x1b[?1049l", "main\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := screenOf(tc.written).Text(); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			if got := screenOf(strings.SplitAfter(tc.written, "")...).Text(); got != tc.want {
				t.Errorf("in pieces: %q, want %q", got, tc.want)
			}
		})
	}
}

// What comes byte by byte is no other character.
func TestTerminalTakesHalfACharacter(t *testing.T) {
	if got := screenOf("\xe2", "\x86", "\x91").Text(); got != "↑\n" {
		t.Errorf("%q", got)
	}
}

func TestTerminalTellsItsModes(t *testing.T) {
	s := screenOf("\x1b[?1049h\x1b[?25l")
	if !s.Alternate || !s.Hidden {
		t.Errorf("alternate %v, hidden %v", s.Alternate, s.Hidden)
	}
	_, _ = io.WriteString(s, "\x1b[?25h\x1b[?1049l")
	if s.Alternate || s.Hidden {
		t.Errorf("alternate %v, hidden %v", s.Alternate, s.Hidden)
	}
}

// A picture has every character of the screen, with its looks, and is XML whatever stands there.
func TestSVG(t *testing.T) {
	s := screenOf("\x1b[1;32mgood\x1b[m <&>\r\n  \x1b[7minverse\x1b[27m ")
	picture := SVG(s.Lines(), "a \"title\" & <more>")
	var text []string
	for d := xml.NewDecoder(strings.NewReader(string(picture))); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, picture)
		}
		if chars, ok := token.(xml.CharData); ok && strings.TrimSpace(string(chars)) != "" {
			text = append(text, string(chars))
		}
	}
	if got := strings.Join(text, "|"); got != `a "title" & <more>|a "title" & <more>|good|<&>|inverse` {
		t.Errorf("it says %s", got)
	}
	for _, want := range []string{
		`fill="#3fb950" font-weight="bold" textLength="33.6" xml:space="preserve">good<`,
		`<rect x="32.8" y="54.0" width="58.8" height="18.0" fill="` + ink + `"/>`,
		`fill="` + paper + `" textLength="58.8" xml:space="preserve">inverse<`,
	} {
		if !strings.Contains(string(picture), want) {
			t.Errorf("without %s: %s", want, picture)
		}
	}
}

// A bar is as wide as it is, though nothing is written at its end.
func TestSVGHasRoomForABar(t *testing.T) {
	s := NewTerminal(100, 2)
	_, _ = io.WriteString(s, "\x1b[7mx"+strings.Repeat(" ", 89)+"\x1b[m")
	if width, _ := Size(90, 1); !strings.Contains(string(SVG(s.Lines(), "x")), "width=\"788\"") || width != 788 {
		t.Errorf("%v: %s", width, SVG(s.Lines(), "x"))
	}
}

func TestPlain(t *testing.T) {
	lines := Plain("one\n\ntwo\n")
	if len(lines) != 3 || lines[0].Text() != "one" || lines[1].Text() != "" || lines[2].Text() != "two" {
		t.Errorf("%v", lines)
	}
}
