package console

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"
)

// told is what a person sees of what one source has written.
func told(pieces ...string) string {
	var screen strings.Builder
	t := NewAsyncWriter(&screen)
	source := t.LinesFrom("distro: ")
	for _, p := range pieces {
		io.WriteString(source, p)
	}
	t.Close()
	<-t.ended // a slow machine may take longer than a screen gets
	return screen.String()
}

func TestDebugLinesAreMarkedAndHarmless(t *testing.T) {
	utf16le := func(s string) string {
		var b strings.Builder
		for _, u := range utf16.Encode([]rune(s)) {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
		return b.String()
	}
	for _, tc := range []struct {
		name   string
		pieces []string
		want   string
	}{
		{"lines in pieces", []string{"a", "b\nc\n", "d\n"}, "distro: ab\ndistro: c\ndistro: d\n"},
		{"CR LF", []string{"a\r\nb\r\n"}, "distro: a\ndistro: b\n"},
		{"a terminal's orders", []string{"\x1b[2J\x1b]0;owned\x07\u202e\u009b1m\xff\n"}, "distro: \ufffd[2J\ufffd]0;owned\ufffd\ufffd\ufffd1m\ufffd\n"},
		{"back to the start of the line", []string{"host: all is well\rhost: \n"}, "distro: host: all is wellhost:\n"},
		{"UTF-16", []string{utf16le("one\r\ntwo\r\n")}, "distro: one\ndistro: two\n"},
		{"empty lines", []string{"\n\n\r\n"}, ""},
		{"a line without an end", []string{strings.Repeat("x", 2*maxLine)}, strings.Repeat("distro: "+strings.Repeat("x", maxLine)+"\n", 2)},
	} {
		if got := told(tc.pieces...); got != tc.want {
			t.Errorf("%s: %.200q, want %.200q", tc.name, got, tc.want)
		}
	}
}

// Of a last line and the end that follows it at once, the end may be seen first.
func TestLastLinesAreShownAtTheEnd(t *testing.T) {
	for range 20000 {
		if got := told("last\n"); got != "distro: last\n" {
			t.Fatalf("%q", got)
		}
	}
}

// stopped is a screen that takes nothing until it is released.
type stopped struct {
	release chan struct{}
	strings.Builder
}

func (s *stopped) Write(b []byte) (int, error) {
	<-s.release
	return s.Builder.Write(b)
}

// A person who selects text in the console stops it: the bridge goes on.
func TestAStoppedScreenHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := &stopped{release: make(chan struct{})}
		told := NewAsyncWriter(screen)
		source := told.LinesFrom("")
		const surplus = 10
		for range 1 + queuedLines + surplus { // one is on its way to the screen
			io.WriteString(source, "x\n")
			synctest.Wait()
		}
		began := time.Now()
		told.Close()
		if took := time.Since(began); took != lastLines {
			t.Errorf("the end took %v, want %v", took, lastLines)
		}
		close(screen.release)
		<-told.ended
		want := "x\n10 log lines were left out\n" + strings.Repeat("x\n", queuedLines)
		if got := screen.String(); got != want {
			t.Errorf("shown: %d bytes, %q...", len(got), got[:min(80, len(got))])
		}
	})
}

func TestNobodyWantsToKnow(t *testing.T) {
	var none *AsyncWriter
	slog.New(none.LogHandler()).Error("unheard")
}
