package endpoint

import (
	"context"
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

func dialPipe(context.Context, string) (net.Conn, error) { return nil, errors.ErrUnsupported }

// resettable gives a unix socket its Reset.
func resettable(c net.Conn) (net.Conn, error) { return newUnixConn(c.(*net.UnixConn)) }

func isRefused(err error) bool   { return errors.Is(err, unix.ECONNREFUSED) }
func isQueueFull(err error) bool { return errors.Is(err, unix.EAGAIN) }
