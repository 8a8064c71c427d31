package top

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.Local)

func ago(d time.Duration) time.Time { return noon.Add(-d) }

// busy are two links over one carrier, and one over a frozen one, a second ago and now.
func busy() (before, now Look) {
	links := func(moved int64) []control.LinkTraffic {
		carrier := control.Carrier{Since: ago(26 * time.Hour), RoundTrip: 0.00153, Lost: 1}
		return []control.LinkTraffic{
			{
				PID: 4711, Link: control.Link{Name: "windows", Distro: "Debian", Socket: "/run/docker-wsl-bridge/windows.sock"}, State: "ready", Carrier: carrier,
				Totals: control.Totals{Connections: 12, Sent: 104857600, Received: 4096, Refused: map[string]int64{"not-found": 2, "denied": 1}, Cut: 4},
				Streams: []control.Stream{
					{ID: 5, Since: ago(90 * time.Minute), Sent: 300, Received: 12345, Peer: &control.Peer{UID: 1000, PID: 321, Program: "docker", Call: "logs"}},
					{ID: 7, Since: ago(30 * time.Second), Sent: 50_000_000 + moved, Received: 1024, Peer: &control.Peer{PID: 4000, Program: "docker-buildx", Call: "POST /build"}},
					{ID: 9, Since: ago(2 * time.Second), Sent: 1, Received: 0},
				},
			},
			{
				PID: 4711, Link: control.Link{Name: "ssh-agent", Distro: "Debian", Socket: "/run/s.sock"}, State: "ready", Carrier: carrier,
				Streams: []control.Stream{{ID: 11, Since: ago(3 * time.Minute), Sent: 1000 + moved/100, Received: 999, Peer: &control.Peer{Program: "evil\x1b[2J\u0301x"}}},
			},
			{PID: 99, Link: control.Link{Name: "windows", Distro: "Ubuntu", Socket: "/run/w.sock"}, State: "frozen", Carrier: control.Carrier{Since: ago(time.Minute)}},
		}
	}
	return NewLook(ago(2*time.Second), links(0)), NewLook(noon, links(20_000_000))
}

func seen() Look {
	before, now := busy()
	return now.withRatesSince(before)
}

func screenText(lines []line) string {
	var text strings.Builder
	for _, l := range lines {
		text.WriteString(strings.TrimRight(l.text, " ") + "\n")
	}
	return text.String()
}

func TestTable(t *testing.T) {
	const want = `docker-wsl-bridge  12:00:00  3 links, 2 carriers, 4 streams

CARRIER TO  ROUND TRIP    AGE  LOST  BRIDGE'S PID
Debian          1.5 ms  1d02h     1          4711
Ubuntu       no answer  1m00s     0            99

LINK            STATE   STREAMS  EVER  REFUSED  CUT    SENT  RECEIVED  SOCKET
windows@Debian  ready         3    12        3    4  105 MB    4.1 kB  /run/docker-wsl-bridge/windows.sock
ssh-agent       ready         1     0        0    0     0 B       0 B  /run/s.sock
windows@Ubuntu  frozen        0     0        0    0     0 B       0 B  /run/w.sock

LINK              AGE      RATE    SENT  RECEIVED   PID  PROGRAM        CALL
windows@Debian    30s   10 MB/s   70 MB    1.0 kB  4000  docker-buildx  POST /build
ssh-agent       3m00s  100 kB/s  201 kB     999 B     -  evil` + "\ufffd[2J\ufffdx" + `
windows@Debian  1h30m     0 B/s   300 B     12 kB   321  docker         logs
windows@Debian     2s     0 B/s     1 B       0 B     -  -
`
	if got := screenText(seen().screenLines(120, 0)); got != want {
		t.Errorf("it is\n%s", got)
	}
}

// Whatever the terminal's size, no line is wider and there are no more of them, and what matters is there.
func TestTableFits(t *testing.T) {
	l := seen()
	for width := 1; width <= 130; width++ {
		for _, height := range []int{1, 2, 5, 12, 15, 16, 40} {
			lines := l.screenLines(width, height)
			if len(lines) > height {
				t.Errorf("%dx%d: %d lines", width, height, len(lines))
			}
			for _, line := range lines {
				if n := utf8.RuneCountInString(line.text); n > width {
					t.Errorf("%dx%d: %q has %d", width, height, line.text, n)
				}
			}
		}
	}
	if got := screenText(l.screenLines(60, 14)); !strings.Contains(got, "10 MB/s  docker-buildx  POST /build\nand 3 more\n") {
		t.Errorf("a small one is\n%s", got)
	}
	if got := screenText(l.screenLines(60, 16)); !strings.Contains(got, "logs") || strings.Contains(got, " more") {
		t.Errorf("one with room is\n%s", got)
	}
}

func TestRates(t *testing.T) {
	before, now := busy()
	before = before.withRatesSince(Look{})
	for _, s := range before.Links[0].Streams {
		if s.SentRate != 0 || s.ReceivedRate != 0 {
			t.Errorf("a first look has a rate: %+v", s)
		}
	}
	now = now.withRatesSince(before)
	if s := now.Links[0].Streams[0]; s.ID != 7 || s.SentRate != 10_000_000 || s.ReceivedRate != 0 {
		t.Errorf("the busiest is %+v", s)
	}
	// One of the same number in another life is another one.
	other := NewLook(noon.Add(time.Second), []control.LinkTraffic{{PID: 4711, Link: now.Links[0].Link, Streams: []control.Stream{{ID: 7, Since: noon, Sent: 500}}}})
	if s := other.withRatesSince(now).Links[0].Streams[0]; s.SentRate != 500 {
		t.Errorf("a new one has %+v", s)
	}
}

func TestWords(t *testing.T) {
	for n, want := range map[float64]string{0: "0 B", 999: "999 B", 999.6: "1.0 kB", 1000: "1.0 kB", 9949: "9.9 kB", 9951: "10 kB", 999499: "999 kB", 999500: "1.0 MB", 1e13: "10 TB", 1e21: "1000 EB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%v bytes are %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{-time.Second: "0s", 59900 * time.Millisecond: "59s", time.Minute: "1m00s", time.Hour: "1h00m", 99*time.Hour + 59*time.Minute: "4d03h"} {
		if got := ageText(noon, ago(d)); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

// What a script gets has the rates and every stream once.
func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, now := busy()
		looks := []Look{before, now}
		got, err := LookOnce(t.Context(), func(context.Context) (l Look, err error) {
			l, looks = looks[0], looks[1:]
			return l, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(b); strings.Count(text, `"streams":`) != 3 || !strings.Contains(text, `"bytesSent":70000000,"bytesReceived":1024,"peer":{"uid":0,"pid":4000,"program":"docker-buildx","call":"POST /build"},"sentPerSecond":10000000,"receivedPerSecond":0}`) {
			t.Errorf("%s", text)
		}
	})
}

func TestEachEndsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		_, now := busy()
		err := LookRepeatedly(ctx, func(context.Context) (Look, error) { return now, nil }, func(Look) error {
			if n++; n == 3 {
				cancel()
			}
			return nil
		})
		if err != nil || n != 3 {
			t.Errorf("%d looks, %v", n, err)
		}
		failed := errors.New("x")
		if err := LookRepeatedly(t.Context(), func(context.Context) (Look, error) { return now, failed }, nil); err != failed {
			t.Errorf("%v", err)
		}
	})
}
