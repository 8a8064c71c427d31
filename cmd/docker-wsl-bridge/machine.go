package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
)

// installedRight tells what starts the program at logon, and how that is now. The error is an *install.WrongError if that
// is not as it was installed, and an *install.OffError if somebody has switched it off.
func installedRight(ctx context.Context) (string, error) {
	i, err := lookUp()
	if err != nil {
		return "", err
	}
	if i.record == nil {
		return "it is not installed: nothing starts it at logon, up serves until Ctrl-C", nil
	}
	if err := i.place.Check(ctx, *i.record, i.service); err != nil {
		return "", err
	}
	words := installedWords(i.record)
	if now := i.place.Now(ctx, *i.record, i.service); now != "" {
		words += "; " + now
	}
	return words, nil
}

// switchedOff tells whether Windows does not start at logon what is installed, since somebody has switched that
// off; nil if not.
func switchedOff(ctx context.Context) *install.OffError {
	i, err := lookUp() // what can't be read tells nothing
	if err != nil || i.record == nil {
		return nil
	}
	var off *install.OffError
	errors.As(i.place.Off(ctx, *i.record, i.service), &off)
	return off
}

// blocked opens the programs, as Windows does to start one, which is refused where a scanner has
// found something in them.
func blocked() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find own file: %w", err)
	}
	for _, name := range []string{filepath.Base(exe), install.Windowed} {
		f, err := files.OpenShared(filepath.Join(filepath.Dir(exe), name))
		switch {
		case err == nil:
			err = errors.Join(readSome(f), f.Close())
		case errors.Is(err, os.ErrNotExist):
			err = nil // it was not downloaded, or taken away: install tells
		}
		if err != nil {
			return "", fmt.Errorf("read program: %w", err)
		}
	}
	if rules := install.ProgramRules(); rules != "" {
		return rules + "; they let wsl.exe and this program run", nil
	}
	return "no rules of AppLocker for programs are set", nil
}

func readSome(f *os.File) error {
	_, err := f.Read(make([]byte, 4096))
	return err
}
