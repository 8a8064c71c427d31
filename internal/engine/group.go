package engine

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
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

// ConfiguredGroup is who may open the engine's pipe beside administrators, as its configuration has it: a name of a
// group or a user, or several with commas between. It is "" if that names none, or is not there.
//
// The file is read as dockerd reads it (getConflictFreeConfiguration in daemon/config/config.go of moby): as UTF-8, or
// as what its byte order mark says, which Notepad and PowerShell write; an empty one says nothing; behind the
// object nothing may follow; the case of a key counts for nothing, and of two equal ones the last counts.
func ConfiguredGroup(file string) (string, error) {
	f, err := files.OpenShared(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read engine's configuration: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxConfig))
	if err != nil {
		return "", fmt.Errorf("read engine's configuration: %w", err)
	}
	var c struct{ Group string }
	if b = bytes.TrimSpace(decodeText(b)); len(b) > 0 && (!utf8.Valid(b) || json.Unmarshal(b, &c) != nil) {
		return "", fmt.Errorf("read engine's configuration %s: it is no JSON object", file)
	}
	return printable.Line(c.Group), nil
}

// decodeText is text in UTF-8 by its byte order mark, or as it is.
func decodeText(b []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(b, []byte("\ufeff"))
	}
	var units []uint16
	for b = b[2:]; len(b) > 1; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	return []byte(string(utf16.Decode(units)))
}

// IsMember tells whether this process has the rights of a group of Windows: its session began after the user
// was made one of its members. The error is ErrNoGroup for a name that Windows does not know.
func IsMember(group string) (bool, error) { return isMember(group) }
