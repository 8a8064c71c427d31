// Package bridge is both halves of the conversation over one carrier, in one
// room so that they cannot drift apart.
//
// The half whose clients they are listens and opens a stream for each connection; the other one
// dials what the stream's link stands for: on a forward link the agent and the host, on a reverse
// one the other way round. A relay then joins both until they have ended. docs/protocol.md specifies hello and control.
//
// It knows nothing of wsl.exe, of configuration or of retries: a session that
// has ended is somebody else's to start anew. It looks at bytes for links of kind docker alone, by way of
// dockerapi and paths: at requests.
//
// Law: names cross the carrier from the agent to the host, never addresses.
package bridge

import (
	"context"
	"net"
	"time"
)

const (
	// askTime bounds one question to the agent, which has nothing to wait for.
	askTime = 10 * time.Second
	// drainTime is what streams get to come to their end when the bridge stops.
	drainTime = 5 * time.Second
	// leaveTime is what the agent gets to leave after that.
	leaveTime = 2 * time.Second
	// failTime bounds the reading of what a carrier that takes no more bytes
	// may still hold.
	failTime = time.Second
)

// Dial connects to what a link stands for.
type Dial func(ctx context.Context) (net.Conn, error)
