package top

import (
	"errors"
	"os"
	"strings"
	"sync"
	"time"
)

// ErrNoTerminal says that what should be drawn on is no terminal, or one that knows no places.
var ErrNoTerminal = errors.New("draw table: the output is no terminal")

// keyWait is how long the reader of keys waits at a time.
const keyWait = 100 * time.Millisecond

// Sequences of xterm, which Windows' console knows, too.
const (
	enter  = "\x1b[?1049h\x1b[?25l\x1b[2J" // another screen, no cursor
	leave  = "\x1b[m\x1b[?25h\x1b[?1049l"
	home   = "\x1b[H"
	wipe   = "\x1b[2J"
	rest   = "\x1b[K" // of the line
	below  = "\x1b[J"
	plain  = "\x1b[m"
	strong = "\x1b[1m"
	turned = "\x1b[7m"
)

// terminal is one that is drawn on.
type terminal struct {
	out     *os.File
	restore func() error // the modes
	keys    chan byte
	stop    chan struct{}
	reader  sync.WaitGroup
}

// openTerminal takes a terminal over. Keys are read where in is one, too; Ctrl-C stays a signal.
func openTerminal(in, out *os.File) (*terminal, error) {
	restore, keyed, err := setModes(in, out)
	if err != nil {
		return nil, err
	}
	t := &terminal{out: out, restore: restore, keys: make(chan byte), stop: make(chan struct{})}
	if _, err := out.WriteString(enter); err != nil {
		return nil, errors.Join(err, restore())
	}
	if keyed {
		t.reader.Go(func() { t.readKeys(in) })
	}
	return t, nil
}

// restoreTerminal gives it back as it was.
func (t *terminal) restoreTerminal() error {
	close(t.stop)
	t.reader.Wait()
	_, err := t.out.WriteString(leave)
	return errors.Join(err, t.restore())
}

// readKeys hands on keys until close.
func (t *terminal) readKeys(in *os.File) {
	for {
		key, pressed, err := readKey(in)
		if err != nil {
			return // it has no keys, or is gone
		}
		if !pressed {
			key = 0
		}
		select {
		case <-t.stop:
			return
		default:
		}
		if !pressed {
			continue
		}
		select {
		case t.keys <- key:
		case <-t.stop:
			return
		}
	}
}

// screenSize is in characters; where it can't be told, that of an old terminal.
func (t *terminal) screenSize() (width, height int) {
	width, height, err := sizeOf(t.out)
	if err != nil || width <= 0 || height <= 0 {
		return 80, 24
	}
	return width, height
}

// drawLines puts lines on the screen, in one write, over what was there.
func (t *terminal) drawLines(lines []line, wiped bool) error {
	var b strings.Builder
	if wiped {
		b.WriteString(wipe)
	}
	b.WriteString(home)
	for i, l := range lines {
		if i > 0 {
			b.WriteString("\r\n")
		}
		switch {
		case l.head:
			b.WriteString(turned + l.text + plain)
		case l.bold:
			b.WriteString(strong + l.text + plain)
		default:
			b.WriteString(l.text)
		}
		b.WriteString(rest)
	}
	b.WriteString(below)
	_, err := t.out.WriteString(b.String())
	return err
}
