package links

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

// ErrThere says that there is a configuration.
var ErrThere = errors.New("there is a configuration already")

// WriteStarter leaves a file that is there alone, whatever it is. A new one gets its schema beside it.
func WriteStarter(file string) error {
	err := state.CreateFile(file, []byte(config.Starter), 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %s", ErrThere, file)
	}
	if err == nil {
		err = state.WriteFile(filepath.Join(filepath.Dir(file), config.SchemaFile), config.JSONSchema(), 0o600)
	}
	if err != nil {
		return fmt.Errorf("make configuration: %w", err)
	}
	return nil
}
