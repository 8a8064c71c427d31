package service

import (
	"context"
	"errors"
)

func runService(Body) error { return errors.ErrUnsupported }

func startedByManager() bool { return false }

func onResume(context.Context, func()) bool { return false }
