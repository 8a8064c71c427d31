package endpoint

import (
	"errors"
	"net"
)

func listenUnix(string, Access) (net.Listener, error) { return nil, errors.ErrUnsupported }

func removeStale(string) error { return errors.ErrUnsupported }

func restoreAccess(string, Access) error { return errors.ErrUnsupported }
