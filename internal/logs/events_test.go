package logs

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// told is a log whose events come as "LEVEL ID TEXT".
func told() (*slog.Logger, *[]string) {
	var list []string
	return slog.New(EventHandler(func(level slog.Level, id uint32, text string) error {
		list = append(list, fmt.Sprint(level, " ", id, " ", text))
		return nil
	})), &list
}

func TestWarningsAndErrorsAreEvents(t *testing.T) {
	log, list := told()
	log.Info("nobody is to be woken", EventKey, 10)
	log.Debug("nor here")
	log.Warn("link windows", EventKey, 11, "state", "lost", "error", errors.New("two\nlines \x1b[31m"), "pause", time.Second)
	log.With("distro", "D").Error("it ends", EventKey, 10)
	log.Warn("no number")
	log.Error("none either")
	want := []string{
		`WARN 11 msg="link windows" state=lost error="two\nlines \x1b[31m"`,
		`ERROR 10 msg="it ends" distro=D`, `WARN 1 msg="no number"`, `ERROR 2 msg="none either"`,
	}
	if !slices.Equal(*list, want) {
		t.Errorf("events %q, want %q", *list, want)
	}
}

// What is tried again and again is one event an hour, however long the pause; another reason is another event.
func TestTheSameEventIsToldOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, list := told()
		for i := range 300 { // of them half a minute each: two hours and a half
			log.Warn("lost", EventKey, 11, "error", "x", "pause", time.Duration(i))
			if i == 10 {
				log.Warn("lost", EventKey, 11, "error", "y")
			}
			time.Sleep(30 * time.Second)
		}
		if len(*list) != 4 {
			t.Errorf("%d events: %q", len(*list), *list)
		}
	})
}

func TestALongEventIsCut(t *testing.T) {
	log, list := told()
	log.Warn(strings.Repeat("ä", maxEvent))
	if n := len((*list)[0]); n > maxEvent+20 || n < maxEvent-20 || !strings.HasSuffix((*list)[0], "ä") {
		t.Errorf("%d bytes", n)
	}
}
