package endpoint

import (
	"errors"
	"net"
)

func listen(string, Access) (net.Listener, error) { return nil, errors.ErrUnsupported }

func removeStale(string) error { return errors.ErrUnsupported }

func regrant(string, Access) error { return errors.ErrUnsupported }
