package state

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
	"strings"
	"time"
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
func MadeDir(dir string) string { return filepath.Join(dir, "made") }

// File is where it is recorded.
func (m Made) File(dir string) string {
	b, _ := json.Marshal(m) // strings alone
	sum := sha256.Sum256(b)
	return filepath.Join(MadeDir(dir), hex.EncodeToString(sum[:8])+".json")
}

// Remember records it, unless that was done.
func Remember(dir string, m Made) error {
	file := m.File(dir)
	if _, err := readMade(dir, file); err == nil {
		return nil
	}
	b, err := json.Marshal(m)
	if err == nil {
		err = Write(file, append(b, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("record what is made in %s: %w", m.Distro, err)
	}
	return nil
}

// Record is Remember for this user's state.
func Record(m Made) error {
	dir, err := Dir()
	if err != nil {
		return err
	}
	return Remember(dir, m)
}

// Remembered is all that is recorded, and files in between that tell nothing. The error is
// fs.ErrNotExist if nothing ever was.
func Remembered(dir string) (list []Made, broken []string, err error) {
	entries, err := os.ReadDir(MadeDir(dir))
	for _, e := range entries[:min(len(entries), maxAllMade)] {
		file := filepath.Join(MadeDir(dir), e.Name())
		m, err := readMade(dir, file)
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

func readMade(dir, file string) (m Made, err error) {
	b, err := Read(file, maxMade)
	if err != nil {
		return m, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(&m) != nil || d.Decode(new(any)) != io.EOF || m.Distro == "" || m.File(dir) != file {
		return Made{}, ErrForeign
	}
	return m, nil
}

// Forget removes what is recorded of a distro, which was cleaned.
func Forget(dir, distro string) (failed error) {
	list, _, _ := Remembered(dir) // what can't be read is nobody's
	for _, m := range list {
		if !strings.EqualFold(m.Distro, distro) {
			continue
		}
		if err := Remove(m.File(dir)); err != nil {
			failed = errors.Join(failed, fmt.Errorf("forget what was made in %s: %w", distro, err))
		}
	}
	return failed
}
