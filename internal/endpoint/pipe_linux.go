package endpoint

import (
	"errors"
	"net"
)

func (e Endpoint) listenFor([]string) (net.Listener, error) { return nil, errors.ErrUnsupported }

func thereIs(string) error { return errors.ErrUnsupported }
