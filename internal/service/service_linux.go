package service

import "errors"

func run(Body) error { return errors.ErrUnsupported }

func started() bool { return false }
