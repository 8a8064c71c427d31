package wsl

import (
	"bytes"
	"encoding/binary"
	"iter"
	"strings"
	"unicode/utf16"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// maxInput is how much of what was said is looked at; wsl.exe's longest text, its usage, has about 10 KiB in
// UTF-16.
const maxInput = 64 << 10

// Decode turns what wsl.exe wrote into text for people: UTF-16LE with or without BOM,
// UTF-8, or lines of both (its relay inside Linux and the distro write UTF-8). Carriage
// returns are gone, whatever a terminal would obey is replaced, and the length is bounded (printable.Lines). Old
// versions write \r\r\n (microsoft/WSL#4456).
func Decode(b []byte) string { return printable.Lines(strings.Trim(decodeText(b), "\r\n\t ")) }

// textLines gives the lines of a list, of which each is a text by itself.
func textLines(b []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(decodeText(b)) {
			if !yield(printable.Line(strings.NewReplacer("\r", "", "\n", "").Replace(line))) {
				return
			}
		}
	}
}

func decodeText(b []byte) string {
	b = b[:min(len(b), maxInput)]
	if rest, found := bytes.CutPrefix(b, []byte{0xff, 0xfe}); found {
		return decodeUTF16(rest)
	}
	if rest, found := bytes.CutPrefix(b, []byte{0xef, 0xbb, 0xbf}); found {
		b = rest
	}
	if bytes.IndexByte(b, 0) < 0 {
		return string(b)
	}
	if looksLike16(b) {
		return decodeUTF16(b)
	}
	return decodeLines(b)
}

// looksLike16 tells text in UTF-16 from a mixture. In the former two neighbouring ASCII
// bytes are one far-east character, and few of those follow each other;
// a line in UTF-8 is a long run of them.
func looksLike16(b []byte) bool {
	const longRun = 8
	run := 0
	for ; len(b) >= 2; b = b[2:] {
		run++
		if !isText(b[0]) || !isText(b[1]) {
			run = 0
		}
		if run == longRun {
			return false
		}
	}
	return true
}

func isText(c byte) bool { return c >= ' ' && c < 0x7f || c == '\n' || c == '\r' || c == '\t' }

// decodeLines judges each line by itself.
func decodeLines(b []byte) string {
	var text strings.Builder
	for len(b) > 0 {
		n := bytes.IndexByte(b, '\n') + 1
		if n == 0 {
			n = len(b)
		}
		if bytes.IndexByte(b[:n], 0) < 0 {
			text.Write(b[:n])
		} else {
			n = lineLength16(b)
			text.WriteString(decodeUTF16(b[:n]))
		}
		b = b[n:]
	}
	return text.String()
}

// lineLength16 is the length of the UTF-16 line that b begins with.
func lineLength16(b []byte) int {
	for i := 0; i+1 < len(b); i += 2 {
		if b[i] == '\n' && b[i+1] == 0 {
			return i + 2
		}
	}
	return len(b)
}

// decodeUTF16 drops a byte that is half a character: the text was cut.
func decodeUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
