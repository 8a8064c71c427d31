package endpoint

import (
	"context"
	"net"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// dialPipe names the level that is go-winio's default anyway, so that it can't change unseen.
func dialPipe(ctx context.Context, name string) (net.Conn, error) {
	return winio.DialPipeAccessImpLevel(ctx, name, windows.GENERIC_READ|windows.GENERIC_WRITE, winio.PipeImpLevelAnonymous)
}

// Unix sockets are not dialled on Windows; these have nothing to tell.
func isConnectionRefused(error) bool         { return false }
func isQueueFull(error) bool                 { return false }
func withReset(c net.Conn) (net.Conn, error) { return c, nil }
