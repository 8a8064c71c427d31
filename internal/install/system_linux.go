package install

import (
	"context"
	"errors"
)

func ownSID() (string, error) { return "", errors.ErrUnsupported }

func hidden(context.Context, string, []string) error { return errors.ErrUnsupported }

func detached(string, []string, string) error { return errors.ErrUnsupported }

func setRun(string) error { return errors.ErrUnsupported }

func hasRun() bool { return false }

func removeRun() error { return errors.ErrUnsupported }
