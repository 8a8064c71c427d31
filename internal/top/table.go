package top

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

const (
	// maxWidth is wider than anything there is to say.
	maxWidth = 1000
	// gap is between columns.
	gap = "  "
	// fewColumns are never dropped, but cut.
	fewColumns = 3
)

// line is one of the screen.
type line struct {
	text string
	bold bool
	head bool // of a table
}

// column is one of a table. drop is when it goes in a narrow terminal: the highest first, 0 never.
type column struct {
	name  string
	right bool
	drop  int
	cells []string
}

func (c *column) cellWidth() int {
	w := utf8.RuneCountInString(c.name)
	for _, cell := range c.cells {
		w = max(w, utf8.RuneCountInString(cell))
	}
	return w
}

// drawTable draws columns within a width.
func drawTable(columns []*column, width int) (lines []line) {
	for totalWidth(columns) > width && len(columns) > fewColumns {
		worst := 0
		for i, c := range columns {
			if c.drop > columns[worst].drop {
				worst = i
			}
		}
		if columns[worst].drop == 0 {
			break
		}
		columns = append(columns[:worst:worst], columns[worst+1:]...)
	}
	head := ""
	rows := make([]string, len(columns[0].cells))
	for i, c := range columns {
		w := c.cellWidth()
		if i > 0 {
			head += gap
		}
		head += padCell(c.name, w, c.right)
		for j := range rows {
			if i > 0 {
				rows[j] += gap
			}
			rows[j] += padCell(c.cells[j], w, c.right)
		}
	}
	lines = append(lines, line{text: head, head: true})
	for _, r := range rows {
		lines = append(lines, line{text: strings.TrimRight(r, " ")})
	}
	return lines
}

func totalWidth(columns []*column) int {
	w := len(gap) * (len(columns) - 1)
	for _, c := range columns {
		w += c.cellWidth()
	}
	return w
}

func padCell(s string, width int, right bool) string {
	blanks := strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
	if right {
		return blanks + s
	}
	return s + blanks
}

// screenLines is the whole screen; with a height of 0 it has no end.
func (l Look) screenLines(width, height int) []line {
	rows := l.sortedRows()
	carriers := l.uniqueCarriers()
	all := []line{{bold: true, text: fmt.Sprintf("docker-wsl-bridge  %s  %s, %s, %s", l.At.Local().Format(time.TimeOnly),
		countWords(len(l.Links), "link"), countWords(len(carriers), "carrier"), countWords(len(rows), "stream"))}}
	if len(l.Links) > 0 {
		all = append(append(all, line{}), carrierTable(carriers, l.At, width)...)
		all = append(append(all, line{}), l.linkTable(width)...)
	}
	if len(rows) == 0 {
		return fitLines(all, width, height)
	}
	left := len(rows)
	if height > 0 {
		left = height - len(all) - 2 // the blank line, the head
	}
	all = append(all, line{})
	if left < len(rows) {
		left = max(left-1, 0) // and this
		all = append(all, streamTable(rows[:left], l.At, width)...)
		all = append(all, line{text: fmt.Sprintf("and %d more", len(rows)-left)})
		return fitLines(all, width, height)
	}
	return fitLines(append(all, streamTable(rows, l.At, width)...), width, height)
}

func countWords(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return strconv.Itoa(n) + " " + of + "s"
}

func carrierTable(carriers []Link, at time.Time, width int) []line {
	distro, trip, age := &column{name: "CARRIER TO"}, &column{name: "ROUND TRIP", right: true}, &column{name: "AGE", right: true}
	lost, pid := &column{name: "LOST", right: true, drop: 1}, &column{name: "BRIDGE'S PID", right: true, drop: 2}
	for _, l := range carriers {
		distro.addCell(l.carrierDistro())
		trip.addCell(roundTrip(l))
		age.addCell(ageText(at, l.Carrier.Since))
		lost.addCell(strconv.FormatInt(l.Carrier.Lost, 10))
		pid.addCell(strconv.Itoa(l.PID))
	}
	return drawTable([]*column{distro, trip, age, lost, pid}, width)
}

func roundTrip(l Link) string {
	switch {
	case l.Carrier.RoundTrip > 0:
		return fmt.Sprintf("%.1f ms", l.Carrier.RoundTrip*1000)
	case l.Carrier.Since.IsZero():
		return "none"
	}
	return "no answer"
}

func (l Look) linkTable(width int) []line {
	name, state, streams := &column{name: "LINK"}, &column{name: "STATE"}, &column{name: "STREAMS", right: true}
	ever, refused, cut := &column{name: "EVER", right: true, drop: 3}, &column{name: "REFUSED", right: true, drop: 2}, &column{name: "CUT", right: true, drop: 1}
	sent, got, socket := &column{name: "SENT", right: true, drop: 4}, &column{name: "RECEIVED", right: true, drop: 5}, &column{name: "SOCKET", drop: 6}
	for _, link := range l.Links {
		name.addCell(l.linkName(link))
		state.addCell(link.State)
		streams.addCell(strconv.Itoa(len(link.Streams)))
		ever.addCell(strconv.FormatInt(link.Totals.Connections, 10))
		sum := int64(0)
		for _, n := range link.Totals.Refused {
			sum += n
		}
		refused.addCell(strconv.FormatInt(sum, 10))
		cut.addCell(strconv.FormatInt(link.Totals.Cut, 10))
		sent.addCell(bytesText(float64(link.Totals.Sent)))
		got.addCell(bytesText(float64(link.Totals.Received)))
		socket.addCell(link.Link.Socket)
	}
	return drawTable([]*column{name, state, streams, ever, refused, cut, sent, got, socket}, width)
}

func streamTable(rows []row, at time.Time, width int) []line {
	link, age, rate := &column{name: "LINK"}, &column{name: "AGE", right: true}, &column{name: "RATE", right: true}
	sent, got := &column{name: "SENT", right: true, drop: 1}, &column{name: "RECEIVED", right: true, drop: 2}
	pid, program, call := &column{name: "PID", right: true, drop: 3}, &column{name: "PROGRAM"}, &column{name: "CALL"}
	for _, r := range rows {
		link.addCell(r.link)
		age.addCell(ageText(at, r.Since))
		rate.addCell(bytesText(r.SentRate+r.ReceivedRate) + "/s")
		sent.addCell(bytesText(float64(r.Sent)))
		got.addCell(bytesText(float64(r.Received)))
		who, what, does := "-", "-", ""
		if p := r.Peer; p != nil {
			does = p.Call
			if p.PID != 0 {
				who = strconv.Itoa(int(p.PID))
			}
			if p.Program != "" {
				what = p.Program
			}
		}
		pid.addCell(who)
		program.addCell(what)
		call.addCell(does)
	}
	return drawTable([]*column{link, age, rate, sent, got, pid, program, call}, width)
}

// addCell takes what others have said, too.
func (c *column) addCell(cell string) { c.cells = append(c.cells, oneCellEach(cell)) }

// fitLines cuts what has no room.
func fitLines(lines []line, width, height int) []line {
	if height > 0 && len(lines) > height {
		lines = lines[:height]
	}
	for i, l := range lines {
		text := []rune(oneCellEach(l.text))
		if len(text) > width {
			text = append(text[:max(width-1, 0)], '…')[:max(width, 0)]
		}
		if l.head && width < maxWidth { // a bar from edge to edge
			text = append(text, []rune(strings.Repeat(" ", width-len(text)))...)
		}
		lines[i].text = string(text)
	}
	return lines
}

// oneCellEach is a printable line that a terminal shows in one cell for each rune, as far as scripts of single
// cells go.
func oneCellEach(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return unicode.ReplacementChar
		}
		return r
	}, printable.Line(s))
}

// ageText has two places at the most: 42s, 5m03s, 2h10m, 3d04h.
func ageText(now, since time.Time) string {
	if since.IsZero() {
		return "-"
	}
	s := int64(max(now.Sub(since), 0).Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 60*60:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 24*60*60:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
}

// bytesText has three places: 999 B, 1.0 kB, 42 MB.
func bytesText(n float64) string {
	if n < 999.5 {
		return fmt.Sprintf("%.0f B", n)
	}
	const units = "kMGTPE"
	i := 0
	for n /= 1000; n >= 999.5 && i < len(units)-1; i++ {
		n /= 1000
	}
	if n < 9.95 {
		return fmt.Sprintf("%.1f %cB", n, units[i])
	}
	return fmt.Sprintf("%.0f %cB", n, units[i])
}
