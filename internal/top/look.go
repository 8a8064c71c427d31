package top

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
)

// Look is what all bridges carry at one moment. As JSON it is what a script gets.
type Look struct {
	At    time.Time `json:"at"`
	Links []Link    `json:"links"`
}

// Link is a link and its streams, those first through which most flows.
type Link struct {
	control.LinkTraffic
	Streams []Stream `json:"streams"`
}

// Stream is one with its rates. They are known from the second look on.
type Stream struct {
	control.Stream
	SentRate     float64 `json:"sentPerSecond"` // bytes
	ReceivedRate float64 `json:"receivedPerSecond"`
}

// NewLook is a look at links.
func NewLook(at time.Time, links []control.LinkTraffic) Look {
	l := Look{At: at, Links: []Link{}}
	for _, t := range links {
		link := Link{LinkTraffic: t, Streams: []Stream{}}
		for _, s := range t.Streams {
			link.Streams = append(link.Streams, Stream{Stream: s})
		}
		l.Links = append(l.Links, link)
	}
	return l
}

// key is what stays of a stream from look to look.
type key struct {
	pid  int
	link string
	id   uint32
	born int64
}

func keyOf(l Link, s Stream) key {
	return key{l.PID, l.Link.Distro + "\x00" + l.Link.Socket, s.ID, s.Since.UnixNano()}
}

// withRatesSince adds the rates, by what was seen before.
func (l Look) withRatesSince(before Look) Look {
	seen := map[key]control.Stream{}
	for _, link := range before.Links {
		for _, s := range link.Streams {
			seen[keyOf(link, s)] = s.Stream
		}
	}
	for _, link := range l.Links {
		for i := range link.Streams {
			s := &link.Streams[i]
			old, known := seen[keyOf(link, *s)]
			long := l.At.Sub(before.At).Seconds()
			if !known { // what it has moved was all since its beginning
				long = l.At.Sub(s.Since).Seconds()
			}
			if long > 0 && (known || !before.At.IsZero()) {
				s.SentRate = float64(max(s.Sent-old.Sent, 0)) / long
				s.ReceivedRate = float64(max(s.Received-old.Received, 0)) / long
			}
		}
		slices.SortStableFunc(link.Streams, compareBusiest)
	}
	return l
}

func compareBusiest(a, b Stream) int {
	return cmp.Or(
		cmp.Compare(b.SentRate+b.ReceivedRate, a.SentRate+a.ReceivedRate),
		a.Since.Compare(b.Since),
	)
}

// row is a stream with the name of its link.
type row struct {
	Stream
	link string
}

// sortedRows are all streams, sorted as those of a link.
func (l Look) sortedRows() (rows []row) {
	for _, link := range l.Links {
		for _, s := range link.Streams {
			rows = append(rows, row{s, l.linkName(link)})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return compareBusiest(a.Stream, b.Stream) })
	return rows
}

// linkName is a link's; with its distro where another one has the same.
func (l Look) linkName(of Link) string {
	same := 0
	for _, other := range l.Links {
		if other.Link.Name == of.Link.Name {
			same++
		}
	}
	if same > 1 {
		return of.Link.Name + "@" + of.Link.Distro
	}
	return of.Link.Name
}

// carrierDistro is the distro that the link's carrier leads to.
func (l Link) carrierDistro() string { return cmp.Or(l.Link.ServedDistro(), l.Link.Distro) }

// uniqueCarriers are the links' carriers, each once.
func (l Look) uniqueCarriers() (all []Link) {
	for _, link := range l.Links {
		if !slices.ContainsFunc(all, func(other Link) bool {
			return other.PID == link.PID && strings.EqualFold(other.carrierDistro(), link.carrierDistro())
		}) {
			all = append(all, link)
		}
	}
	return all
}
