package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxConfig bounds what is read of an engine's configuration.
const maxConfig = 256 << 10

// ErrNoGroup says that an account of that name is not known.
var ErrNoGroup = errors.New("there is no such group")

// ConfigFile is the configuration of dockerd for Windows, below %ProgramData%. Another one may have been
// named when it was started.
func ConfigFile(programData string) string {
	return filepath.Join(programData, "docker", "config", "daemon.json")
}

// ConfiguredGroup is who may open the engine's pipe beside administrators, as its configuration has it:
// "" if that names none, or is not there.
func ConfiguredGroup(file string) (string, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read engine's configuration: %w", err)
	}
	defer f.Close()
	var c struct{ Group string }
	if err := json.NewDecoder(io.LimitReader(f, maxConfig)).Decode(&c); err != nil {
		return "", fmt.Errorf("read engine's configuration %s: it is no JSON object", file)
	}
	return word(c.Group), nil
}

// Member tells whether this process has the rights of a group of Windows: its session began after the user
// was made one of its members. The error is ErrNoGroup for a name that Windows does not know.
func Member(group string) (bool, error) { return member(group) }
