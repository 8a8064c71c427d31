package endpoint

import (
	"context"
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

func dialPipe(context.Context, string) (net.Conn, error) { return nil, errors.ErrUnsupported }

// withReset gives a unix socket its Reset.
func withReset(c net.Conn) (net.Conn, error) { return newUnixConn(c.(*net.UnixConn)) }

func isConnectionRefused(err error) bool { return errors.Is(err, unix.ECONNREFUSED) }
func isQueueFull(err error) bool         { return errors.Is(err, unix.EAGAIN) }
