package bridge

import "github.com/docker-wsl-bridge/docker-wsl-bridge/internal/mux"

// A client at a Windows pipe may know nothing of go-winio's end of stream, which is a message of
// no bytes: Node's and many others wait until the pipe is closed. So on a reverse link (whole) the
// agent tells an engine that has ended one direction from one that has closed its connection, which the
// kernel knows of a unix socket, by STOP; and the host closes the pipe when all of
// the answer has been taken.

// watchGone passes it on when the engine, whose output has ended, closes its connection.
func (j *joint) watchGone() {
	c, ok := j.conn.(interface{ AwaitHangUp() bool })
	if !ok || !j.whole || j.side != engines {
		return
	}
	j.watching.Go(func() {
		if !c.AwaitHangUp() {
			return // it was closed here
		}
		j.mu.Lock()
		j.gone = true
		j.mu.Unlock()
		_ = j.stream.CloseRead(mux.CodeClosed) // fails if it is over
	})
}

// awaitGone has the client's connection closed once the engine's is.
func (j *joint) awaitGone() {
	if !j.whole || j.side != clients {
		return
	}
	j.stream.OnStop(func() {
		j.mu.Lock()
		j.gone = true
		j.mu.Unlock()
		j.hangUp()
	})
}

// hangUp closes the client's connection when its engine is gone and its answer handed on: that was
// flushed by closeWrite.
func (j *joint) hangUp() {
	j.mu.Lock()
	now := j.gone && j.inDone && j.told == "" && j.side == clients
	j.mu.Unlock()
	if now {
		_ = j.conn.Close()
	}
}

func (j *joint) isGone() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.gone && (j.side == engines || j.inDone)
}
