package logs

import (
	"io"
	"log/slog"
)

// None is a log that is not there.
type None struct{}

// Write takes all, and forgets it.
func (None) Write(b []byte) (int, error) { return len(b), nil }

// Close has nothing to end.
func (None) Close() error { return nil }

// The numbers of our events in the Event Log, which never change their meaning. docs/events.md is for
// who acts on them.
const (
	EventFailed     = 10
	EventLost       = 11
	EventGone       = 12
	EventFrozen     = 13
	EventEngine     = 14
	EventLinkFailed = 15
	EventConfig     = 16
	EventRestarts   = 20
	EventKilled     = 21
	EventSupervise  = 22
)

// EventLevels has all events.
var EventLevels = map[int]slog.Level{
	OtherWarning: slog.LevelWarn, OtherError: slog.LevelError,
	EventFailed: slog.LevelError, EventLost: slog.LevelWarn, EventGone: slog.LevelWarn, EventFrozen: slog.LevelWarn,
	EventEngine: slog.LevelWarn, EventLinkFailed: slog.LevelWarn, EventConfig: slog.LevelError, EventRestarts: slog.LevelWarn, EventKilled: slog.LevelWarn, EventSupervise: slog.LevelError,
}

// WithNumber is what a log takes for an event.
func WithNumber(id int) slog.Attr { return slog.Int(EventKey, id) }

// SystemHandler is a handler for the Event Log, and its end. It takes nothing where somebody is there to see,
// or no installation has registered us: Windows would show numbers without words.
func SystemHandler(source string, wanted bool) (slog.Handler, io.Closer) {
	if !wanted {
		return slog.DiscardHandler, None{}
	}
	s, err := OpenSystem(source)
	if err != nil {
		return slog.DiscardHandler, None{} // the file has it all
	}
	return EventHandler(s.ReportEvent), s
}
