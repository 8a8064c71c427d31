// Package top is the live view of what bridges carry: links, carriers and streams as a table that
// a terminal shows anew each second, or as one that is printed.
//
// It knows how traffic is told (control) and how a terminal is drawn on. It does not know where
// bridges are: whoever calls it asks them.
//
// Law: a terminal is left as it was found, whichever way that goes; nothing that a distro has
// said is drawn that the terminal could obey; no line is wider than the terminal.
package top

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	// every is how often it looks anew.
	every = time.Second
	// sizeEvery is how often it asks how large the terminal is.
	sizeEvery = 100 * time.Millisecond
)

// Ask looks at all bridges, within some seconds at the most.
type Ask func(context.Context) (Look, error)

// Run shows what it sees on a terminal until ctx ends or somebody presses q: both are success. The
// error is ErrNoTerminal if out is none.
func Run(ctx context.Context, in, out *os.File, ask Ask) (err error) {
	t, err := openTerminal(in, out)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := t.restoreTerminal(); err == nil {
			err = closeErr
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	seen := make(chan seeing)
	var looking sync.WaitGroup
	looking.Go(func() { lookEachSecond(ctx, ask, seen) })
	defer looking.Wait()
	defer cancel()
	return showUpdates(ctx, t, seen)
}

// seeing is a look, or why there was none.
type seeing struct {
	Look
	err error
}

// lookEachSecond looks each second, until ctx ends.
func lookEachSecond(ctx context.Context, ask Ask, seen chan<- seeing) {
	var s seeing
	for ctx.Err() == nil {
		now, err := ask(ctx)
		s = seeing{now.withRatesSince(s.Look), err}
		select {
		case seen <- s:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
		}
	}
}

// showUpdates draws what was seen, and once more when the terminal has another size.
func showUpdates(ctx context.Context, t *terminal, seen <-chan seeing) error {
	sizes := time.NewTicker(sizeEvery)
	defer sizes.Stop()
	var last *seeing
	var width, height int
	for {
		fresh := false
		select {
		case <-ctx.Done():
			return nil
		case key := <-t.keys:
			if key == 'q' || key == 'Q' {
				return nil
			}
		case s := <-seen:
			last, fresh = &s, true
		case <-sizes.C:
		}
		w, h := t.screenSize()
		resized := w != width || h != height
		if last == nil || !fresh && !resized {
			continue
		}
		width, height = w, h
		// The last column stays free: what a terminal does behind it is its own affair.
		if err := t.drawLines(last.screenLines(width-1, height), resized); err != nil {
			return fmt.Errorf("draw table: %w", err)
		}
	}
}

func (s seeing) screenLines(width, height int) []line {
	if s.err != nil {
		return fitLines([]line{{text: "docker-wsl-bridge top", bold: true}, {}, {text: s.err.Error()}}, width, height)
	}
	return s.Look.screenLines(width, height)
}

// LookOnce looks twice, a second apart, since what flows shows in the difference only.
func LookOnce(ctx context.Context, ask Ask) (Look, error) {
	before, err := ask(ctx)
	if err != nil {
		return before, err
	}
	select {
	case <-time.After(every):
	case <-ctx.Done():
		return before, nil
	}
	now, err := ask(ctx)
	if err != nil {
		return before, nil // it is on its way out
	}
	return now.withRatesSince(before), nil
}

// LookRepeatedly hands on what it sees each second until ctx ends, which is success.
func LookRepeatedly(ctx context.Context, ask Ask, hand func(Look) error) error {
	var last Look
	for ctx.Err() == nil {
		now, err := ask(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		last = now.withRatesSince(last)
		if err := hand(last); err != nil {
			return err
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
		}
	}
	return nil
}

// PrintTable writes a table for a paper of any length. A width of 0 is as wide as it needs.
func PrintTable(w io.Writer, l Look, width int) error {
	if width <= 0 {
		width = maxWidth
	}
	for _, line := range l.screenLines(width, 0) {
		if _, err := fmt.Fprintln(w, line.text); err != nil {
			return err
		}
	}
	return nil
}
