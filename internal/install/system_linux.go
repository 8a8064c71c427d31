package install

import (
	"context"
	"errors"
)

func ownSID() (string, error) { return "", errors.ErrUnsupported }

func runHidden(context.Context, string, []string) error { return errors.ErrUnsupported }

func outputOfHidden(context.Context, string, []string) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

func startDetached(string, []string, string) error { return errors.ErrUnsupported }

func setRun(string) error { return errors.ErrUnsupported }

func hasRun() bool { return false }

func runLine() string { return "" }

func approvedValue() []byte { return nil }

func runPolicy() bool { return false }

func removeRun() error { return errors.ErrUnsupported }
