package logs

import (
	"fmt"
	"log/slog"
)

// System is the system's log of events: the Application log of Windows.
type System struct{ log systemLog }

// OpenSystem opens it for events of a source, which somebody should have registered: without that
// Windows shows no text of them. Elsewhere it is errors.ErrUnsupported.
func OpenSystem(source string) (*System, error) {
	l, err := openSystem(source)
	if err != nil {
		return nil, fmt.Errorf("open event log: %w", err)
	}
	return &System{l}, nil
}

// ReportEvent adds an event. It is for Events.
func (s *System) ReportEvent(level slog.Level, id uint32, text string) error {
	if level >= slog.LevelError {
		return s.log.Error(id, text)
	}
	return s.log.Warning(id, text)
}

// Close ends it.
func (s *System) Close() error { return s.log.Close() }
