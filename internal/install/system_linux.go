package install

import (
	"context"
	"errors"
)

func ownSID() (string, error) { return "", errors.ErrUnsupported }

func hidden(context.Context, string, []string) error { return errors.ErrUnsupported }

func hiddenSays(context.Context, string, []string) ([]byte, error) { return nil, errors.ErrUnsupported }

func detached(string, []string, string) error { return errors.ErrUnsupported }

func setRun(string) error { return errors.ErrUnsupported }

func hasRun() bool { return false }

func runLine() string { return "" }

func approvedValue() []byte { return nil }

func runPolicy() bool { return false }

func removeRun() error { return errors.ErrUnsupported }
