package engine

import "errors"

func member(string) (bool, error) { return false, errors.ErrUnsupported }
