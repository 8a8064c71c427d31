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

// Teller shows log lines to a person and never holds up who writes them: a click
// into a Windows console stops its output, and what the agent writes to a
// stopped one would stop the agent. Lines that find no room are counted.
type Teller struct {
	out    io.Writer
	queue  chan string
	raw    chan []byte // of Write
	lost   atomic.Int64
	ending chan struct{}
	ended  chan struct{}
}

func NewTeller(out io.Writer) *Teller {
	t := &Teller{
		out: out, queue: make(chan string, queuedLines), raw: make(chan []byte), ending: make(chan struct{}), ended: make(chan struct{}),
	}
	go t.run()
	return t
}

func (t *Teller) run() {
	defer close(t.ended)
	for {
		select {
		case line := <-t.queue:
			t.show(line)
			continue
		default:
		}
		select {
		case line := <-t.queue:
			t.show(line)
		case b := <-t.raw:
			_, _ = t.out.Write(b) // as in show
		case <-t.ending:
			t.showRest()
			return
		}
	}
}

// showRest shows what was told before the end: of an end and a line that are there at once, run may see the end first.
func (t *Teller) showRest() {
	for {
		select {
		case line := <-t.queue:
			t.show(line)
		default:
			return
		}
	}
}

func (t *Teller) show(line string) {
	fmt.Fprintln(t.out, line) // nobody is there to be told of an error
	if n := t.lost.Swap(0); n > 0 {
		fmt.Fprintf(t.out, "%d log lines were left out\n", n)
	}
}

func (t *Teller) tell(line string) {
	select {
	case t.queue <- line:
	default:
		t.lost.Add(1)
	}
}

// Write shows b as it is. Unlike a line it waits for its turn, so that nothing is lost to a slow
// screen, but not beyond the end. It does not fail: whose output it is must not die with its window.
func (t *Teller) Write(b []byte) (int, error) {
	select {
	case t.raw <- bytes.Clone(b):
	case <-t.ending:
	}
	return len(b), nil
}

// Close returns when what was told is shown, or the screen stands still.
func (t *Teller) Close() {
	close(t.ending)
	select {
	case <-t.ended:
	case <-time.After(lastLines):
	}
}

// Log is this half's. Its lines are escaped by slog.
func (t *Teller) Log() slog.Handler {
	if t == nil {
		return slog.DiscardHandler
	}
	return slog.NewTextHandler(t.Lines("host: "), &slog.HandlerOptions{Level: slog.LevelDebug})
}

// Lines takes what one source writes, as it comes: it is cut into lines, made
// printable and marked, so that no line can pass for one of somebody else.
func (t *Teller) Lines(mark string) io.Writer {
	return &Lines{Tell: func(line string) { t.tell(mark + line) }}
}

type Lines struct {
	Tell func(line string)

	mu   sync.Mutex
	rest []byte // of a line whose end has not come
}

// Write tells the lines that have their end now. It does so without the lock: whoever is told may write to a disk.
func (l *Lines) Write(b []byte) (int, error) {
	for _, line := range l.add(b) {
		l.Tell(line)
	}
	return len(b), nil
}

// add gives the lines that have their end now.
func (l *Lines) add(b []byte) (whole []string) {
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
			whole = append(whole, l.take()...)
		}
	}
	return whole
}

// take is what is there of a line, for people. It is called with the lock.
func (l *Lines) take() (whole []string) {
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
func (l *Lines) Close() error {
	l.mu.Lock()
	last := l.take()
	l.mu.Unlock()
	for _, line := range last {
		l.Tell(line)
	}
	return nil
}
