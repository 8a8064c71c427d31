package setup

import (
	"context"
	"errors"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
)

// InstalledRight tells what starts the program at logon, and how that is now. The error is an *install.WrongError if that
// is not as it was installed, and an *install.OffError if somebody has switched it off.
func InstalledRight(ctx context.Context) (string, error) {
	i, err := LookUp()
	if err != nil {
		return "", err
	}
	if i.Record == nil {
		return "it is not installed: nothing starts it at logon, up serves until Ctrl-C", nil
	}
	if err := i.Place.CheckRecord(ctx, *i.Record, i.service); err != nil {
		return "", err
	}
	words := InstalledWords(i.Record)
	if now := i.Place.CurrentState(ctx, *i.Record, i.service); now != "" {
		words += "; " + now
	}
	return words, nil
}

// SwitchedOff tells whether Windows does not start at logon what is installed, since somebody has switched that
// off; nil if not.
func SwitchedOff(ctx context.Context) *install.OffError {
	i, err := LookUp() // what can't be read tells nothing
	if err != nil || i.Record == nil {
		return nil
	}
	var off *install.OffError
	errors.As(i.Place.WhySwitchedOff(ctx, *i.Record, i.service), &off)
	return off
}
