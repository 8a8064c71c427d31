// Package console has output that never blocks its writer: a click into a Windows console stops its output, and
// with it whoever writes there.
//
// It does not know what is written. Law: lines and events keep their order, what finds no room is counted or
// left out, and nobody waits for a screen that stands still for longer than a second.
package console

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

const ( // queuedLines is how many lines wait for a slow screen.
	queuedLines = 1000
	// maxLine is where a line without an end is cut.
	maxLine = 4 << 10
	// lastLines bounds the wait for the screen at the end.
	lastLines = time.Second
)

// AsyncWriter shows log lines to a person and never holds up who writes them: a click
// into a Windows console stops its output, and what the agent writes to a
// stopped one would stop the agent. Lines that find no room are counted.
type AsyncWriter struct {
	out    io.Writer
	queue  chan string
	raw    chan []byte // of Write
	lost   atomic.Int64
	ending chan struct{}
	ended  chan struct{}
}

func NewAsyncWriter(out io.Writer) *AsyncWriter {
	t := &AsyncWriter{
		out: out, queue: make(chan string, queuedLines), raw: make(chan []byte), ending: make(chan struct{}), ended: make(chan struct{}),
	}
	go t.showQueuedLines()
	return t
}

func (t *AsyncWriter) showQueuedLines() {
	defer close(t.ended)
	for {
		select {
		case line := <-t.queue:
			t.showOneLine(line)
			continue
		default:
		}
		select {
		case line := <-t.queue:
			t.showOneLine(line)
		case b := <-t.raw:
			_, _ = t.out.Write(b) // as in showOneLine
		case <-t.ending:
			t.showRest()
			return
		}
	}
}

// showRest shows what was told before the end: of an end and a line that are there at once, showQueuedLines may see the end first.
func (t *AsyncWriter) showRest() {
	for {
		select {
		case line := <-t.queue:
			t.showOneLine(line)
		default:
			return
		}
	}
}

func (t *AsyncWriter) showOneLine(line string) {
	fmt.Fprintln(t.out, line) // nobody is there to be told of an error
	if n := t.lost.Swap(0); n > 0 {
		fmt.Fprintf(t.out, "%d log lines were left out\n", n)
	}
}

func (t *AsyncWriter) queueLine(line string) {
	select {
	case t.queue <- line:
	default:
		t.lost.Add(1)
	}
}

// Write shows b as it is. Unlike a line it waits for its turn, so that nothing is lost to a slow
// screen, but not beyond the end. It does not fail: whose output it is must not die with its window.
func (t *AsyncWriter) Write(b []byte) (int, error) {
	select {
	case t.raw <- bytes.Clone(b):
	case <-t.ending:
	}
	return len(b), nil
}

// Close returns when what was told is shown, or the screen stands still.
func (t *AsyncWriter) Close() {
	close(t.ending)
	select {
	case <-t.ended:
	case <-time.After(lastLines):
	}
}

// LogHandler is this half's. Its lines are escaped by slog.
func (t *AsyncWriter) LogHandler() slog.Handler {
	if t == nil {
		return slog.DiscardHandler
	}
	return slog.NewTextHandler(t.LinesFrom("host: "), &slog.HandlerOptions{Level: slog.LevelDebug})
}

// LinesFrom takes what one source writes, as it comes: it is cut into lines, made
// printable and marked, so that no line can pass for one of somebody else.
func (t *AsyncWriter) LinesFrom(mark string) io.Writer {
	return &LineWriter{Tell: func(line string) { t.queueLine(mark + line) }}
}

type LineWriter struct {
	Tell func(line string)

	mu   sync.Mutex
	rest []byte // of a line whose end has not come
}

// Write tells the lines that have their end now. It does so without the lock: whoever is told may write to a disk.
func (l *LineWriter) Write(b []byte) (int, error) {
	for _, line := range l.addAndCut(b) {
		l.Tell(line)
	}
	return len(b), nil
}

// addAndCut gives the lines that have their end now.
func (l *LineWriter) addAndCut(b []byte) (whole []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(b) > 0 {
		n := bytes.IndexByte(b, '\n') + 1
		ends := n > 0
		if !ends {
			n = len(b)
		}
		if room := maxLine - len(l.rest); n >= room {
			n, ends = room, true
		}
		l.rest, b = append(l.rest, b[:n]...), b[n:]
		if ends {
			whole = append(whole, l.takeWholeLines()...)
		}
	}
	return whole
}

// takeWholeLines is what is there of a line, for people. It is called with the lock.
func (l *LineWriter) takeWholeLines() (whole []string) {
	// What wsl.exe says itself may be UTF-16: such a line is one here, too, and
	// has the second half of its end at the start of the next one.
	text := wsl.Decode(bytes.TrimPrefix(l.rest, []byte{0}))
	l.rest = l.rest[:0]
	for line := range strings.Lines(text) {
		whole = append(whole, strings.TrimSpace(line))
	}
	return whole
}

// Close tells the last line, if its end has not come.
func (l *LineWriter) Close() error {
	l.mu.Lock()
	last := l.takeWholeLines()
	l.mu.Unlock()
	for _, line := range last {
		l.Tell(line)
	}
	return nil
}
