package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

const streamsPath = "/v1/streams"

// maxTraffic bounds what is read of it: a link has 4,096 streams at the most.
const maxTraffic = 4 << 20

// Traffic is what an instance carries and has carried. Nothing in it is of the bytes themselves.
type Traffic struct {
	Version string        `json:"version"` // of the program
	At      time.Time     `json:"at"`
	Links   []LinkTraffic `json:"links"` // one, or all of a configuration
}

// LinkTraffic is that of one link.
type LinkTraffic struct {
	PID     int      `json:"pid"` // of the bridge
	Link    Link     `json:"link"`
	State   string   `json:"state"` // as in Status
	Carrier Carrier  `json:"carrier"`
	Totals  Totals   `json:"totals"`
	Streams []Stream `json:"streams"` // the oldest first
}

// Carrier is the way to a link's distro. Links of one process and distro share it.
type Carrier struct {
	Since     time.Time `json:"since,omitzero"`             // zero: there is none now
	RoundTrip float64   `json:"roundTripSeconds,omitempty"` // 0: it did not answer within a second
	Lost      int64     `json:"lost"`                       // how many were, since the bridge was started
}

// Totals are since the bridge was started.
type Totals struct {
	Connections int64            `json:"connections"`
	Sent        int64            `json:"bytesSent"`     // by clients
	Received    int64            `json:"bytesReceived"` // by clients
	Refused     map[string]int64 `json:"refused"`       // by reason
	Cut         int64            `json:"cut"`           // that ended with their carrier
}

// Stream is a connection that is carried now.
type Stream struct {
	ID       uint32    `json:"id"`
	Since    time.Time `json:"since"`
	Sent     int64     `json:"bytesSent"`
	Received int64     `json:"bytesReceived"`
	Peer     *Peer     `json:"peer,omitempty"` // nil: it was not told
}

// Peer is a stream's client, as its distro tells: a distro can tell what it likes.
type Peer struct {
	UID     uint32 `json:"uid"`
	PID     int32  `json:"pid,omitempty"` // 0: it can't be seen from the distro
	Program string `json:"program,omitempty"`
	Call    string `json:"call,omitempty"` // of the Docker API
}

// AskTraffic asks the instance at an endpoint. It takes 5 s at the most.
func AskTraffic(ctx context.Context, at endpoint.Endpoint) (t Traffic, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	answer, err := requestOK(ctx, at, http.MethodGet, streamsPath)
	if err != nil {
		return t, fmt.Errorf("ask bridge: %w", err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxTraffic)).Decode(&t); err != nil || t.At.IsZero() {
		return t, errors.New("ask bridge: it answered something else")
	}
	return t, nil
}
