package bridge

import (
	"context"
	"log/slog"
	"net"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

// logPeer tells, at debug level, who has connected.
func (a *agent) logPeer(conn net.Conn, link string) {
	if !a.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	if peer, known := endpoint.PeerOf(conn); known {
		a.log.Debug("connection", "link", link, "peer", peer)
	}
}
