package logs

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	// EventKey is the attribute that numbers a record for the system's log.
	EventKey = "event"
	// OtherWarning and OtherError are the numbers of records without one.
	OtherWarning, OtherError = 1, 2

	// quietFor is how long an event that was told is not told again in the same words: what is
	// tried for hours fails twice a minute.
	quietFor = time.Hour
	// keptTold bounds how many such are remembered.
	keptTold = 100
	// maxEvent is where a text is cut, in bytes. Windows takes 31,839 characters.
	maxEvent = 8 << 10
	// whenNext is left out of an event, since it differs each time.
	whenNext = "pause"
)

// EventHandler is a handler that takes warnings and errors to a log of the system, by numbers that stay the same.
func EventHandler(report func(level slog.Level, id uint32, text string) error) slog.Handler {
	t := &telling{report: report, told: map[string]time.Time{}}
	return &events{t, slog.NewTextHandler(&t.line, &slog.HandlerOptions{ReplaceAttr: leaveOutCommon})}
}

// leaveOutCommon leaves out what the system's log has anyway.
func leaveOutCommon(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 {
		switch a.Key {
		case slog.TimeKey, slog.LevelKey, EventKey, whenNext:
			return slog.Attr{}
		}
	}
	return a
}

// telling is what all handlers that come from one have together.
type telling struct {
	report func(slog.Level, uint32, string) error

	mu   sync.Mutex
	line bytes.Buffer
	told map[string]time.Time // the last time of each text
}

type events struct {
	*telling
	text slog.Handler // to the line
}

func (e *events) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (e *events) Handle(ctx context.Context, r slog.Record) error {
	id := uint32(OtherWarning)
	if r.Level >= slog.LevelError {
		id = OtherError
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == EventKey {
			id = uint32(a.Value.Int64())
		}
		return true
	})
	text, err := e.freshText(ctx, r)
	if err != nil || text == "" {
		return err
	}
	return e.report(r.Level, id, text)
}

// freshText is the text of a record; empty: it was told a short while ago. The lock ends before the system's
// log is called, which may take its time.
func (e *events) freshText(ctx context.Context, r slog.Record) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.line.Reset()
	if err := e.text.Handle(ctx, r); err != nil {
		return "", err
	}
	text := strings.ToValidUTF8(strings.TrimSpace(e.line.String()[:min(e.line.Len(), maxEvent)]), "")
	if last, before := e.told[text]; before && time.Since(last) < quietFor {
		return "", nil
	}
	if len(e.told) >= keptTold {
		clear(e.told)
	}
	e.told[text] = time.Now()
	return text, nil
}

func (e *events) WithAttrs(a []slog.Attr) slog.Handler {
	return &events{e.telling, e.text.WithAttrs(a)}
}

func (e *events) WithGroup(name string) slog.Handler {
	return &events{e.telling, e.text.WithGroup(name)}
}
