package bridge

import (
	"maps"
	"net"
	"regexp"
	"slices"
	"sync"
	"unique"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockerapi"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

const (
	// maxPage bounds the peers of one answer: each takes some 500 bytes at the most.
	maxPage = 100
	// maxProgram bounds a program's name, in bytes.
	maxProgram = 64
)

// Peer is who has connected, as the distro tells.
type Peer struct {
	UID     uint32 `json:"uid"`
	PID     int32  `json:"pid"`               // 0: it can't be seen from the distro
	Program string `json:"program,omitempty"` // the name of its file
	Call    string `json:"call,omitempty"`    // of the engine's API, the last one; see dockerapi.Call
}

// plainCall is what a call looks like to who has not made it.
var plainCall = regexp.MustCompile(`^[A-Za-z /_*]{0,100}$`)

// madePrintable is what may be shown of it, whoever has said it.
func (p Peer) madePrintable() Peer {
	p.PID = max(p.PID, 0)
	p.Program = programName(p.Program)
	if !plainCall.MatchString(p.Call) {
		p.Call = ""
	}
	return p
}

func programName(s string) string { return printable.Line(s[:min(len(s), maxProgram)]) }

// page asks for the peers of a link's streams, of those with higher numbers than After.
type page struct {
	Link  string `json:"link"`
	After uint32 `json:"after,omitempty"`
}

// peers are answered by stream, in order.
type peers struct {
	Known []numbered `json:"known,omitempty"`
	More  bool       `json:"more,omitempty"` // there are others behind the last one
}

type numbered struct {
	ID uint32 `json:"id"`
	Peer
}

// peerInfo is a stream's peer.
type peerInfo struct {
	link string

	mu   sync.Mutex
	peer Peer
}

// newPeerInfo looks at who has connected, who may be gone or another program a moment later.
func newPeerInfo(conn net.Conn, link string) *peerInfo {
	c := &peerInfo{link: link}
	if p, known := endpoint.PeerOf(conn); known {
		c.peer = Peer{UID: p.UID, PID: p.PID, Program: internString(programName(p.ProgramName()))}
	}
	return c
}

// internString is a text of which there are few, and each of many streams holds one.
func internString(s string) string { return unique.Make(s).Value() }

// noteCalls notes what a client asks for with b.
func (c *peerInfo) noteCalls(b []byte) {
	call := internString(dockerapi.CallOf(b))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peer.Call = call
}

// peerInfos are those of the streams that live.
type peerInfos struct {
	mu sync.Mutex
	of map[uint32]*peerInfo
}

func (c *peerInfos) addCard(stream uint32, of *peerInfo) (remove func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[uint32]*peerInfo{}
	}
	c.of[stream] = of
	return func() { c.removeCard(stream) }
}

func (c *peerInfos) removeCard(stream uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, stream)
}

func (c *peerInfos) peersAfter(p page) *peers {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := &peers{}
	for _, id := range slices.Sorted(maps.Keys(c.of)) {
		card := c.of[id]
		switch {
		case id <= p.After || card.link != p.Link:
		case len(found.Known) == maxPage:
			found.More = true
			return found
		default:
			card.mu.Lock()
			found.Known = append(found.Known, numbered{id, card.peer})
			card.mu.Unlock()
		}
	}
	return found
}
