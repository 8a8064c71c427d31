package relay

import "github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"

// A client at a Windows pipe may know nothing of go-winio's end of stream, which is a message of
// no bytes: Node's and many others wait until the pipe is closed. So on a reverse link (whole) the
// agent tells an engine that has ended one direction from one that has closed its connection, which the
// kernel knows of a unix socket, by STOP; and the host closes the pipe when all of
// the answer has been taken.

// reportFullClose passes it on when the engine, whose output has ended, closes its connection.
func (r *Relay) reportFullClose() {
	c, ok := r.Conn.(interface{ AwaitHangUp() bool })
	if !ok || !r.Whole || r.state.side != Engines {
		return
	}
	r.watching.Go(func() {
		if !c.AwaitHangUp() {
			return // it was closed here
		}
		r.handleEvent(engineGone)
		_ = r.Stream.CloseRead(mux.CodeClosed) // fails if it is over
	})
}

// followFullClose has the client's connection closed once the engine's is, and its answer handed on: that was
// flushed by closeWrite.
func (r *Relay) followFullClose() {
	if r.Whole && r.state.side == Clients {
		r.Stream.OnStop(func() { r.handleEvent(engineGone) })
	}
}
