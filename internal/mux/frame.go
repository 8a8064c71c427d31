package mux

import (
	"encoding/binary"
)

// headerSize is the size of a frame's header: type, zero, length of the
// payload (2 bytes), stream id (4 bytes), big-endian.
const headerSize = 8

const (
	maxData     = 16 << 10 // payload of a DATA frame
	maxLinkName = 64       // payload of an OPEN frame
)

type frameType byte

const (
	frameOpen    frameType = 1
	frameAccept  frameType = 2
	frameRefuse  frameType = 3
	frameData    frameType = 4
	frameEnd     frameType = 5
	frameStop    frameType = 6
	frameReset   frameType = 7
	frameWindow  frameType = 8
	framePing    frameType = 9
	framePong    frameType = 10
	frameGoAway  frameType = 11
	frameReclaim frameType = 12
	frameReturn  frameType = 13
)

// shape is what the header of a frame type may say.
type shape struct {
	name       string
	min, max   int  // length of the payload
	forSession bool // the stream id must be 0, else it must not
}

var shapes = [...]shape{
	frameOpen:    {name: "OPEN", min: 1, max: maxLinkName},
	frameAccept:  {name: "ACCEPT"},
	frameRefuse:  {name: "REFUSE", min: 2, max: 2},
	frameData:    {name: "DATA", min: 1, max: maxData},
	frameEnd:     {name: "END"},
	frameStop:    {name: "STOP", min: 4, max: 4},
	frameReset:   {name: "RESET", min: 4, max: 4},
	frameWindow:  {name: "WINDOW", min: 4, max: 4},
	framePing:    {name: "PING", min: 8, max: 8, forSession: true},
	framePong:    {name: "PONG", min: 8, max: 8, forSession: true},
	frameGoAway:  {name: "GOAWAY", forSession: true},
	frameReclaim: {name: "RECLAIM"},
	frameReturn:  {name: "RETURN", min: 4, max: 4},
}

type header struct {
	typ    frameType
	length int
	id     uint32
}

// parseHeader checks everything that a header alone can tell. b has
// headerSize bytes.
func parseHeader(b []byte) (header, error) {
	h := header{
		typ:    frameType(b[0]),
		length: int(binary.BigEndian.Uint16(b[2:])),
		id:     binary.BigEndian.Uint32(b[4:]),
	}
	if h.typ == 0 || int(h.typ) >= len(shapes) {
		return h, protocolError("unknown frame type")
	}
	s := shapes[h.typ]
	switch {
	case b[1] != 0:
		return h, protocolError(s.name + ": second byte is not zero")
	case h.length < s.min || h.length > s.max:
		return h, protocolError(s.name + ": wrong length")
	case s.forSession != (h.id == 0):
		return h, protocolError(s.name + ": wrong stream id")
	}
	return h, nil
}

func appendHeader(b []byte, t frameType, id uint32, length int) []byte {
	b = append(b, byte(t), 0)
	b = binary.BigEndian.AppendUint16(b, uint16(length))
	return binary.BigEndian.AppendUint32(b, id)
}

func appendUint16Frame(b []byte, t frameType, id uint32, v uint16) []byte {
	return binary.BigEndian.AppendUint16(appendHeader(b, t, id, 2), v)
}

func appendUint32Frame(b []byte, t frameType, id uint32, v uint32) []byte {
	return binary.BigEndian.AppendUint32(appendHeader(b, t, id, 4), v)
}

func appendUint64Frame(b []byte, t frameType, v uint64) []byte {
	return binary.BigEndian.AppendUint64(appendHeader(b, t, 0, 8), v)
}

// validLink tells whether a link's name may cross the carrier: nothing in it
// can hurt a terminal or a log.
func validLink(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' && c != '@' {
			return false
		}
	}
	return len(name) >= 1 && len(name) <= maxLinkName
}
