package printable

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for s, want := range map[string]string{
		"":                              "",
		"Müller & Söhne, 東京, e\u0301":   "Müller & Söhne, 東京, e\u0301",
		"\x1b[2J\x1b]0;owned\a":         "\ufffd[2J\ufffd]0;owned\ufffd",
		"a\tb\r\nc":                     "a b\ufffd\ufffdc",
		"csi \u009bm, reversed \u202e.": "csi \ufffdm, reversed \ufffd.",
		"half \xff\xc3":                 "half \ufffd\ufffd",
		strings.Repeat("x", Max):        strings.Repeat("x", Max),
		strings.Repeat("é", Max):        strings.Repeat("é", Max/2) + "...",
		"x" + strings.Repeat("é", Max):  "x" + strings.Repeat("é", Max/2-1) + "...",
	} {
		if got := Line(s); got != want {
			t.Errorf("%.80q: %.80q, want %.80q", s, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	if got, want := Lines("one\r\r\ntwo\x1b[m\n\tthree"), "one\ntwo\ufffd[m\n three"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Lines(strings.Repeat("x\n", Max)); len(got) != Max+3 {
		t.Errorf("%d bytes", len(got))
	}
}

// A command to paste and a line of a log are whole.
func TestEscapeKeepsTheWholeLine(t *testing.T) {
	if got := Escape(strings.Repeat("x", 2*Max) + "\x1b"); got != strings.Repeat("x", 2*Max)+"\ufffd" {
		t.Errorf("%d bytes, %.80q", len(got), got)
	}
}

// FuzzLine has any text come in.
func FuzzLine(f *testing.F) {
	f.Add("a\x1b[2J\u202e\u009b\xff")
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{Line(s), Lines(s)} {
			if len(got) > Max+3 || !utf8.ValidString(got) || Line(got) != Line(strings.ReplaceAll(got, "\n", "\ufffd")) {
				t.Errorf("%d bytes: %q", len(got), got)
			}
			obeyed := func(r rune) bool { return r != '\n' && r != unicode.ReplacementChar && !unicode.IsPrint(r) }
			if strings.ContainsFunc(got, obeyed) {
				t.Errorf("a terminal obeys %q", got)
			}
		}
		if strings.Contains(Line(s), "\n") {
			t.Errorf("%q has two lines", Line(s))
		}
	})
}
