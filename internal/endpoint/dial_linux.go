package endpoint

import (
	"context"
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

func dialPipe(context.Context, string) (net.Conn, error) { return nil, errors.ErrUnsupported }

func isRefused(err error) bool   { return errors.Is(err, unix.ECONNREFUSED) }
func isQueueFull(err error) bool { return errors.Is(err, unix.EAGAIN) }
