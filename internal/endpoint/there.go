package endpoint

import (
	"context"
	"fmt"
	"os/exec"
)

// CheckExists tells whether Dial would find something, and disturbs nobody: a command is looked up and not
// started, a pipe is not connected to, since it may be one that takes a single client. A unix
// socket is connected to, and certain says that nothing remains to be seen. The errors are Dial's.
func (e Endpoint) CheckExists(ctx context.Context) (certain bool, err error) {
	switch e.scheme {
	case pipeScheme:
		err = checkPipeExists(e.addr)
	case execScheme:
		if _, err = exec.LookPath(e.Path()); err != nil {
			err = causeOfStart(err)
		}
	default:
		conn, err := e.Dial(ctx)
		if err != nil {
			return true, err
		}
		return true, conn.Close()
	}
	if err != nil {
		return false, fmt.Errorf("dial %s: %w", e, classifyDialError(err))
	}
	return false, nil
}
