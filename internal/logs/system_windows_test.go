package logs

import (
	"log/slog"
	"testing"
)

// Wine takes events and keeps none: that the calls are made is all that is shown here.
func TestSystemTakesEvents(t *testing.T) {
	s, err := OpenSystem("docker-wsl-bridge")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(EventHandler(s.ReportEvent))
	for _, level := range []slog.Level{slog.LevelWarn, slog.LevelError} {
		if err := s.ReportEvent(level, 1, "text"); err != nil {
			t.Error(err)
		}
		log.Log(t.Context(), level, "text")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
