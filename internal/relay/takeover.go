package relay

import (
	"io"
	"time"
)

// A client may read the head of an answer through a buffer of its own and then go on with the bare
// socket, as docker-py does: what came with the head in one read is lost to it. An engine writes
// that head by itself, and a client that is quick enough reads it so; a relay must not join
// what the engine did not. So on docker links the head of an answer behind which no HTTP comes is handed on apart: a unix
// socket ends a read behind it, whenever that comes, and at a pipe what follows waits until the client has taken it.
//
// A client at a Windows pipe needs the end of such an answer, too. dockerd only ends its output when the
// command of an attach or exec has ended, and waits for the client to close the connection (moby's
// CloseStreams); a client that does not know go-winio's end of stream waits for the same. So on a reverse link
// the end of a raw stream is the end of its connection. By then dockerd has stopped to read
// (moby's CopyStreams closes the input when an output ends). The HTTP/2 of a build's session is closed by both, and left alone.

const (
	// takeTime is how long a client at a pipe may leave the head unread. One that reads never waits for it.
	takeTime = 2 * time.Second
	// quietTime is how long nothing of a client's comes before its connection is closed for the end of a raw
	// stream, and inputTime how long that is waited for. An engine may be none of Docker's, and read on.
	quietTime = 50 * time.Millisecond
	inputTime = 500 * time.Millisecond
)

// writeToClient gives a piece of an answer to the client.
func (r *Relay) writeToClient(b []byte) error {
	if r.Tell == nil {
		return r.WriteToConn(b)
	}
	for len(b) > 0 {
		if r.headIsOut {
			r.headIsOut = false
			r.awaitTaken()
		}
		to, n := io.Writer(r.Conn), r.takeover.FindHeadEnd(b)
		if n == 0 {
			n = len(b)
		} else if c, ok := r.Conn.(apart); ok {
			to = writerApart{c}
		} else {
			r.headIsOut = true
		}
		if err := r.writeCounted(to, b[:n], r.state.side == Engines); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// apart is a connection that can end a read of the far side's behind what is written.
type apart interface {
	WriteApart(b []byte) (int, error)
}

type writerApart struct{ apart }

func (w writerApart) Write(b []byte) (int, error) { return w.WriteApart(b) }

// awaitTaken waits until the client has read what it was given, if the connection can tell.
func (r *Relay) awaitTaken() {
	c, ok := r.Conn.(interface{ Flush() error }) // a pipe's waits for its client, until the connection is closed
	if !ok {
		return
	}
	taken := make(chan struct{})
	r.watching.Go(func() {
		_ = c.Flush() // whoever is gone takes nothing
		close(taken)
	})
	late := time.NewTimer(takeTime)
	defer late.Stop()
	select {
	case <-taken:
	case <-late.C:
	}
}

// endRawStream has the client's connection closed at the end of a raw stream, as if the engine were gone.
func (r *Relay) endRawStream() {
	if !r.Whole || r.Tell == nil || !r.takeover.IsRawStream() {
		return
	}
	r.awaitQuiet()
	r.handleEvent(engineGone)
	r.boundRest() // for what is on its way to an engine that may never read it
}

// awaitQuiet waits until the client sends nothing more.
func (r *Relay) awaitQuiet() {
	seen := int64(-1)
	for end := time.Now().Add(inputTime); time.Now().Before(end); time.Sleep(quietTime) {
		now := r.progress.moved.Load()
		if r.currentState().toStream.isOver() || now == seen && r.progress.writing.Load() == 0 {
			return
		}
		seen = now
	}
}
