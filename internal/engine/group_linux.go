package engine

import "errors"

func isMember(string) (bool, error) { return false, errors.ErrUnsupported }
