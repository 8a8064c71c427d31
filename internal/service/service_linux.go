package service

import (
	"context"
	"errors"
)

func run(Body) error { return errors.ErrUnsupported }

func started() bool { return false }

func onAwakening(context.Context, func()) bool { return false }
