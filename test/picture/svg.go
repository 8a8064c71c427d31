package picture

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// The measures, in pixels. Each run of equal cells says how wide it is, so that columns stay
// columns in whatever font there is.
const (
	cellWidth  = 8.4
	cellHeight = 18.0
	margin     = 16.0
	titleBar   = 36.0
	// minColumns keeps a picture of few words from being a stamp.
	minColumns = 40
)

const (
	paper = "#0d1117"
	ink   = "#d1d7e0"
)

var colours = map[int]string{
	30: "#656c76", 31: "#ff7b72", 32: "#3fb950", 33: "#d29922", 34: "#58a6ff", 35: "#bc8cff", 36: "#39c5cf", 37: "#b1bac4",
	90: "#656c76", 91: "#ffa198", 92: "#56d364", 93: "#e3b341", 94: "#79c0ff", 95: "#d2a8ff", 96: "#56d4dd", 97: "#ffffff",
}

// SVG is a picture of a screen in a window with a title.
func SVG(screen []Line, title string) []byte {
	columns := minColumns
	for _, l := range screen {
		for i, c := range l {
			if c.Rune != ' ' || c.Inverse {
				columns = max(columns, i+1)
			}
		}
	}
	width, height := Size(columns, len(screen))
	var b bytes.Buffer
	Window(&b, width, height, title)
	Screen(&b, screen)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// Size is that of a window for a screen.
func Size(columns, rows int) (width, height float64) {
	return 2*margin + cellWidth*float64(columns), titleBar + margin + cellHeight*float64(rows)
}

// Window begins a picture: whoever has drawn what is in it ends it with </svg>.
func Window(b *bytes.Buffer, width, height float64, title string) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="%s" `+
		`font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`+"\n", width, height, width, height, escaped(title))
	fmt.Fprintf(b, `<title>%s</title>`+"\n", escaped(title))
	fmt.Fprintf(b, `<rect width="%.0f" height="%.0f" rx="8" fill="%s"/>`+"\n", width, height, paper)
	for i, colour := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(b, `<circle cx="%d" cy="16" r="5.5" fill="%s"/>`+"\n", 18+18*i, colour)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="21" fill="#9198a1" text-anchor="middle">%s</text>`+"\n", width/2, escaped(title))
}

// Screen draws lines into a window.
func Screen(b *bytes.Buffer, lines []Line) {
	for y, l := range lines {
		for x := 0; x < len(l); {
			n := 1
			for x+n < len(l) && l[x+n].Style == l[x].Style {
				n++
			}
			run(b, l[x:x+n], x, y)
			x += n
		}
	}
}

// run draws cells of one style.
func run(b *bytes.Buffer, cells Line, x, y int) {
	style := cells[0].Style
	fill, back := ink, ""
	if colour, known := colours[style.Colour]; known {
		fill = colour
	}
	if style.Inverse {
		fill, back = paper, fill
	}
	left, top := margin+cellWidth*float64(x), titleBar+cellHeight*float64(y)
	if back != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", left, top, cellWidth*float64(len(cells)), cellHeight, back)
	}
	text := cells.Text()
	n := len([]rune(text))
	if trimmed := strings.TrimLeft(text, " "); trimmed != text { // an indentation is a place, not text
		indent := len(text) - len(trimmed)
		left, n, text = left+cellWidth*float64(indent), n-indent, trimmed
	}
	if n == 0 {
		return
	}
	looks := ""
	if style.Bold {
		looks += ` font-weight="bold"`
	}
	if style.Dim {
		looks += ` opacity="0.6"`
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" fill="%s"%s textLength="%.1f" xml:space="preserve">%s</text>`+"\n",
		left, top+13.5, fill, looks, cellWidth*float64(n), escaped(text))
}

// escaped is text fit for XML, which has no room for most control characters.
func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	return b.String()
}
