package control

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// carried are two bridges: one with two links of a distro, one with another in the same distro, which is
// down, so that it does not know the distro's own spelling.
func carried() []Traffic {
	since := time.Now()
	return []Traffic{
		{Version: "0.1.0", Links: []LinkTraffic{
			{
				PID: 1, Link: Link{Name: "windows", Distro: "Debian", Socket: `/run/a"b\c` + "\n"}, State: "ready",
				Carrier: Carrier{Since: since, RoundTrip: 0.0015, Lost: 2}, Streams: make([]Stream, 3),
				Totals: Totals{Connections: 12, Sent: 1 << 40, Received: 7, Refused: map[string]int64{"timeout": 1, "denied": 4}, Cut: 5},
			},
			{PID: 1, Link: Link{Name: "ssh", Distro: "Debian", Socket: "/s"}, State: "link-failed", Carrier: Carrier{Since: since, RoundTrip: 0.002, Lost: 2}},
		}},
		{Version: "0.1.0", Links: []LinkTraffic{{PID: 2, Link: Link{Name: "windows", Distro: "DEBIAN", Socket: "/w"}, State: "lost", Carrier: Carrier{Lost: 3}}}},
	}
}

func TestMetrics(t *testing.T) {
	got := string(Metrics(carried()...))
	for _, want := range []string{
		`docker_wsl_bridge_build_info{link="ssh",distro="Debian",socket="/s",version="0.1.0"} 1`,
		`docker_wsl_bridge_link_ready{link="windows",distro="Debian",socket="/run/a\"b\\c\n"} 1`,
		`docker_wsl_bridge_link_ready{link="windows",distro="Debian",socket="/w"} 0`,
		`docker_wsl_bridge_streams{link="windows",distro="Debian",socket="/run/a\"b\\c\n"} 3`,
		`docker_wsl_bridge_connections_total{link="windows",distro="Debian",socket="/run/a\"b\\c\n"} 12`,
		`docker_wsl_bridge_refused_connections_total{link="windows",distro="Debian",socket="/run/a\"b\\c\n",reason="denied"} 4`,
		`docker_wsl_bridge_refused_connections_total{link="windows",distro="Debian",socket="/run/a\"b\\c\n",reason="timeout"} 1`,
		`docker_wsl_bridge_cut_connections_total{link="windows",distro="Debian",socket="/run/a\"b\\c\n"} 5`,
		`docker_wsl_bridge_sent_bytes_total{link="windows",distro="Debian",socket="/run/a\"b\\c\n"} 1099511627776`,
		`docker_wsl_bridge_received_bytes_total{link="windows",distro="Debian",socket="/run/a\"b\\c\n"} 7`,
		`docker_wsl_bridge_carriers{distro="Debian"} 1`,
		`docker_wsl_bridge_lost_carriers_total{distro="Debian"} 5`,
		`docker_wsl_bridge_round_trip_seconds{distro="Debian"} 0.002`,
	} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("without %s:\n%s", want, got)
		}
	}
	wantOpenMetrics(t, got)
	wantOpenMetrics(t, string(Metrics()))
	wantOpenMetrics(t, string(Metrics(Traffic{})))
}

var (
	metaLine   = regexp.MustCompile(`^# (TYPE|UNIT|HELP) ([a-z_]+) (.+)$`)
	sampleLine = regexp.MustCompile(`^([a-z_]+)\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*"(?:,|\}))+ ([0-9.e+-]+)$`)
)

// wantOpenMetrics wants what the specification's ABNF and its "must" say of counters and gauges: each family
// once, in one piece, its type before its samples, units as suffixes, no sample twice, the end at the end.
func wantOpenMetrics(t *testing.T, text string) {
	t.Helper()
	body, whole := strings.CutSuffix(text, "# EOF\n")
	if !whole {
		t.Fatalf("it ends in %q", text[max(len(text)-20, 0):])
	}
	types, seen := map[string]string{}, map[string]bool{}
	family := ""
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if m := metaLine.FindStringSubmatch(line); m != nil {
			switch {
			case m[1] == "TYPE" && (types[m[2]] != "" || m[3] != "counter" && m[3] != "gauge"),
				m[1] != "TYPE" && m[2] != family,
				m[1] == "UNIT" && !strings.HasSuffix(m[2], "_"+m[3]):
				t.Errorf("%s", line)
			case m[1] == "TYPE":
				family, types[m[2]] = m[2], m[3]
			}
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("%q is no sample", line)
			continue
		}
		want := family
		if types[family] == "counter" {
			want += "_total"
		}
		labels, _, _ := strings.Cut(line, "} ")
		if m[1] != want || seen[labels] {
			t.Errorf("%s, in the family %s", line, family)
		}
		seen[labels] = true
	}
}

// docs/control.md names every metric, and none that there is not.
func TestDocumentedMetrics(t *testing.T) {
	page, err := os.ReadFile("../../docs/control.md")
	if err != nil {
		t.Fatal(err)
	}
	documented, there := map[string]bool{}, map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(docker_wsl_bridge_[a-z_]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		documented[m[1]] = true
	}
	for line := range strings.Lines(string(Metrics(carried()...))) {
		if name, _, is := strings.Cut(line, "{"); is {
			there[name] = true
			if !documented[name] {
				t.Errorf("docs/control.md does not name %s", name)
			}
		}
	}
	for name := range documented {
		if !there[name] {
			t.Errorf("docs/control.md names %s, which is no metric", name)
		}
	}
}

func TestMetricsAreServed(t *testing.T) {
	dir := runDir(t)
	openAt(t, dir, place, handler(nil))
	conn, err := one(t, dir).At.Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/openmetrics-text; version=1.0.0; charset=utf-8" {
		t.Errorf("%v, %v", answer, err)
	}
	wantOpenMetrics(t, string(body))
	if !strings.Contains(string(body), `docker_wsl_bridge_streams{link="windows",distro="",socket=""} 1`+"\n") {
		t.Errorf("%s", body)
	}
}

// What is printed in a terminal has nothing that it obeys; the end of a line is escaped as the format wants it.
func TestMetricsAreFitForATerminal(t *testing.T) {
	b := Metrics(Traffic{At: time.Now(), Links: []LinkTraffic{{Link: Link{Name: "a\x1b[2J\u009bm\nb", Distro: "D"}}}})
	if text := string(b); strings.ContainsAny(text, "\x1b\u009b") || !strings.Contains(text, `link="a`+"\ufffd[2J\ufffdm"+`\nb"`) {
		t.Errorf("%.400q", text)
	}
}
