package control

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

const metricsPath = "/metrics"

// metricsType is OpenMetrics 1.0, whose form does not depend on what is asked for.
const metricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

// family is a metric with its samples.
type family struct {
	name, kind, unit, help string
	samples                []sample
}

type sample struct {
	labels []string // name, value, name, value
	value  string
}

// FormatMetrics is traffic in OpenMetrics' words, of as many instances as there are.
func FormatMetrics(all ...Traffic) []byte {
	var b bytes.Buffer
	distros := distroSpellings(all)
	for _, f := range append(linkFamilies(all, distros), carrierFamilies(all, distros)...) {
		f.writeTo(&b)
	}
	b.WriteString("# EOF\n")
	return b.Bytes()
}

// distroSpellings are the names of distros by those in lower case: WSL takes a name in any case, but labels are
// to be equal. Who has a carrier has its distro's own spelling.
func distroSpellings(all []Traffic) map[string]string {
	known := map[string]string{}
	for _, t := range all {
		for _, l := range t.Links {
			for _, name := range []string{l.Link.Distro, l.Link.ServedDistro()} {
				key := strings.ToLower(name)
				if _, is := known[key]; !is || !l.Carrier.Since.IsZero() {
					known[key] = name
				}
			}
		}
	}
	return known
}

func linkFamilies(all []Traffic, distros map[string]string) []*family {
	const prefix = "docker_wsl_bridge_"
	build := &family{name: prefix + "build_info", kind: "gauge", help: "1, with the version of the program that serves a link."}
	ready := &family{name: prefix + "link_ready", kind: "gauge", help: "Whether the link's socket is served: 1 or 0."}
	streams := &family{name: prefix + "streams", kind: "gauge", help: "Connections that are carried now."}
	connections := &family{name: prefix + "connections", kind: "counter", help: "Connections that reached the other end."}
	refused := &family{name: prefix + "refused_connections", kind: "counter", help: "Connections that the Windows side refused, by reason."}
	cut := &family{name: prefix + "cut_connections", kind: "counter", help: "Connections that ended with their carrier."}
	sent := &family{name: prefix + "sent_bytes", kind: "counter", unit: "bytes", help: "Bytes that clients have sent."}
	received := &family{name: prefix + "received_bytes", kind: "counter", unit: "bytes", help: "Bytes that clients have received."}
	for _, t := range all {
		for _, l := range t.Links {
			labels := []string{"link", l.Link.Name, "distro", distros[strings.ToLower(l.Link.Distro)], "socket", l.Link.Socket}
			up := int64(0)
			if l.State == "ready" {
				up = 1
			}
			build.addSample(1, append(labels, "version", t.Version)...)
			ready.addSample(up, labels...)
			streams.addSample(int64(len(l.Streams)), labels...)
			connections.addSample(l.Totals.Connections, labels...)
			for _, why := range slices.Sorted(maps.Keys(l.Totals.Refused)) {
				refused.addSample(l.Totals.Refused[why], append(labels, "reason", why)...)
			}
			cut.addSample(l.Totals.Cut, labels...)
			sent.addSample(l.Totals.Sent, labels...)
			received.addSample(l.Totals.Received, labels...)
		}
	}
	return []*family{build, ready, streams, connections, refused, cut, sent, received}
}

// carrierFamilies are by distro: links of one process share a carrier, and several processes may
// have one each.
func carrierFamilies(all []Traffic, distros map[string]string) []*family {
	const prefix = "docker_wsl_bridge_"
	carriers := &family{name: prefix + "carriers", kind: "gauge", help: "Carriers that are up: a wsl.exe each."}
	lost := &family{name: prefix + "lost_carriers", kind: "counter", help: "Carriers that have ended by themselves."}
	trip := &family{name: prefix + "round_trip_seconds", kind: "gauge", unit: "seconds", help: "One question to the distro's agent and its answer; none while it does not answer."}
	type carrier struct {
		pid    int
		distro string
	}
	known := map[carrier]Carrier{}
	for _, t := range all {
		for _, l := range t.Links {
			at := carrier{l.PID, strings.ToLower(cmp.Or(l.Link.ServedDistro(), l.Link.Distro))}
			c := l.Carrier
			c.RoundTrip = cmp.Or(c.RoundTrip, known[at].RoundTrip)
			known[at] = c
		}
	}
	sums := map[string]*[2]int64{}
	slowest := map[string]float64{}
	for at, c := range known {
		if sums[at.distro] == nil {
			sums[at.distro] = &[2]int64{}
		}
		if !c.Since.IsZero() {
			sums[at.distro][0]++
		}
		sums[at.distro][1] += c.Lost
		slowest[at.distro] = max(slowest[at.distro], c.RoundTrip)
	}
	for _, key := range slices.Sorted(maps.Keys(sums)) {
		label := []string{"distro", distros[key]}
		carriers.addSample(sums[key][0], label...)
		lost.addSample(sums[key][1], label...)
		if slowest[key] > 0 {
			trip.samples = append(trip.samples, sample{label, strconv.FormatFloat(slowest[key], 'g', -1, 64)})
		}
	}
	return []*family{carriers, lost, trip}
}

func (f *family) addSample(value int64, labels ...string) {
	f.samples = append(f.samples, sample{slices.Clone(labels), strconv.FormatInt(value, 10)})
}

var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (f *family) writeTo(b *bytes.Buffer) {
	fmt.Fprintf(b, "# TYPE %s %s\n", f.name, f.kind)
	if f.unit != "" {
		fmt.Fprintf(b, "# UNIT %s %s\n", f.name, f.unit)
	}
	fmt.Fprintf(b, "# HELP %s %s\n", f.name, f.help)
	name := f.name
	if f.kind == "counter" {
		name += "_total"
	}
	for _, s := range f.samples {
		var labels []string
		for i := 0; i < len(s.labels); i += 2 {
			labels = append(labels, fmt.Sprintf(`%s="%s"`, s.labels[i], quoted.Replace(printable.Lines(s.labels[i+1]))))
		}
		fmt.Fprintf(b, "%s{%s} %s\n", name, strings.Join(labels, ","), s.value)
	}
}

func (h Handler) serveMetrics(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", metricsType)
	_, _ = w.Write(FormatMetrics(h.Traffic(r.Context()))) // as in writeJSON
}
