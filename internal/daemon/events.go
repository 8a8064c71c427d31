package daemon

import (
	"context"
	"net"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/bridge"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/logs"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/tunnel"
)

// eventOf is the number of what the daemon is at, if somebody should know.
func eventOf(state tunnel.State) (id int, is bool) {
	switch state {
	case tunnel.Lost:
		return logs.EventLost, true
	case tunnel.Gone:
		return logs.EventGone, true
	case tunnel.Frozen:
		return logs.EventFrozen, true
	case tunnel.Failing:
		return logs.EventLinkFailed, true
	}
	return 0, false
}

// dialNotingEngine is a Dial that notes when the engine is out of reach, and when it is back.
func (in *instance) dialNotingEngine(dial bridge.Dial) bridge.Dial {
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := dial(ctx)
		if err != nil && ctx.Err() != nil {
			return conn, err // nobody waits for it any more
		}
		in.mu.Lock()
		was := in.dialErr
		in.dialErr = err
		in.mu.Unlock()
		switch {
		case err != nil && was == nil:
			in.own.Warn("engine can't be reached", "error", err, logs.WithNumber(logs.EventEngine))
		case err == nil && was != nil:
			in.own.Info("engine is reached again")
		}
		return conn, err
	}
}
