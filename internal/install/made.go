package install

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
)

// Made is what was made in a distro, for uninstall to undo.
type Made struct {
	Distro  string `json:"distro"`            // its name; alone it stands for the agent's file
	Socket  string `json:"socket,omitempty"`  // as the agent is told it
	Context string `json:"context,omitempty"` // a docker context
	User    string `json:"user,omitempty"`    // in whose home that is
}

const (
	// maxMade bounds what is read of one, which has 300 bytes.
	maxMade = 4 << 10
	// maxAllMade bounds how many are read.
	maxAllMade = 1000
)

// MadeDir has a file for each, in a user's state directory. Its name follows from what it tells, so
// that whoever writes one changes none of another process.
func MadeDir(state string) string { return filepath.Join(state, "made") }

// File is where it is recorded.
func (m Made) File(state string) string {
	b, _ := json.Marshal(m) // strings alone
	sum := sha256.Sum256(b)
	return filepath.Join(MadeDir(state), hex.EncodeToString(sum[:8])+".json")
}

// Remember records it, unless that was done.
func Remember(state string, m Made) error {
	file := m.File(state)
	if _, err := readMade(state, file); err == nil {
		return nil
	}
	if err := writeMade(file, m); err != nil {
		return fmt.Errorf("record what is made in %s: %w", m.Distro, err)
	}
	return nil
}

// writeMade never leaves half a file under the name.
func writeMade(file string, m Made) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return files.Replace(file, append(b, '\n'), 0o600)
}

// Remembered is all that is recorded, and files in between that tell nothing. The error is
// fs.ErrNotExist if nothing ever was.
func Remembered(state string) (list []Made, broken []string, err error) {
	entries, err := os.ReadDir(MadeDir(state))
	for _, e := range entries[:min(len(entries), maxAllMade)] {
		file := filepath.Join(MadeDir(state), e.Name())
		m, err := readMade(state, file)
		switch {
		case err == nil:
			list = append(list, m)
		case !isNew(e):
			broken = append(broken, file)
		}
	}
	return list, broken, err
}

// isNew tells a file that may just be being written.
func isNew(e fs.DirEntry) bool {
	info, err := e.Info()
	return strings.HasSuffix(e.Name(), ".new") && (err != nil || time.Since(info.ModTime()) < time.Minute)
}

// errNotMade says that a file tells something else than its name.
var errNotMade = errors.New("it is no record of ours")

func readMade(state, file string) (m Made, err error) {
	info, err := os.Lstat(file)
	if err != nil {
		return m, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxMade {
		return m, errNotMade
	}
	b, err := files.Read(file, maxMade+1)
	if err != nil {
		return m, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(&m) != nil || d.Decode(new(any)) != io.EOF || m.Distro == "" || m.File(state) != file {
		return Made{}, errNotMade
	}
	return m, nil
}

// Forget removes what is recorded of a distro, which was cleaned.
func Forget(state, distro string) (failed error) {
	list, _, _ := Remembered(state) // what can't be read is nobody's
	for _, m := range list {
		if !strings.EqualFold(m.Distro, distro) {
			continue
		}
		if err := files.Remove(m.File(state)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, fmt.Errorf("forget what was made in %s: %w", distro, err))
		}
	}
	return failed
}

// stays says what is left in a distro that does not run.
func stays(distro string, made []Made) string {
	var contexts []string
	for _, m := range made {
		if m.Context != "" && strings.EqualFold(m.Distro, distro) {
			contexts = append(contexts, fmt.Sprintf("the docker context %s of %s", m.Context, m.User))
		}
	}
	slices.Sort(contexts)
	if contexts == nil {
		contexts = []string{"a docker context in its user's home"}
	}
	return "it does not run; what is in its /run goes with it, but not " + strings.Join(contexts, ", ")
}
