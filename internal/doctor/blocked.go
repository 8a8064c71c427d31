package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
)

// FindBlocker opens the programs, as Windows does to start one, which is refused where a scanner has
// found something in them.
func FindBlocker() (string, error) {
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
