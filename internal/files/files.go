// Package files opens, removes and replaces files that other programs may have open.
//
// On Windows a file that somebody has open without delete sharing can be neither removed nor renamed nor
// replaced, and an indexer, a virus scanner or an editor may have any file open at any moment. So what we
// open to read is shared in full, and what others hold is tried again for a while. Elsewhere neither is
// needed.
//
// Law: whoever reads a file here never keeps its owner from replacing or removing it; a call returns within
// holdTime of when it would have failed by itself.
package files

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	// holdTime is how long a file that somebody else holds is tried for. A scanner takes well below a second.
	holdTime = 2 * time.Second
	// firstPause doubles up to lastPause.
	firstPause, lastPause = time.Millisecond, 100 * time.Millisecond
)

// Open opens a file to read. Its owner can rename and remove it meanwhile.
func Open(path string) (f *os.File, err error) {
	err = Again(func() error {
		f, err = openShared(path)
		return err
	})
	return f, err
}

// Read is os.ReadFile by Open, with a bound: more than max bytes are cut off.
func Read(path string, max int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, max))
}

// Remove is os.Remove.
func Remove(path string) error { return Again(func() error { return os.Remove(path) }) }

// Rename is os.Rename.
func Rename(from, to string) error { return Again(func() error { return os.Rename(from, to) }) }

// Replace writes a file that is whole or as it was before. The directory is there.
func Replace(path string, b []byte, mode fs.FileMode) error {
	half, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // others may write the same
	if err != nil {
		return err
	}
	_, err = half.Write(b)
	if chmodErr := half.Chmod(mode); err == nil {
		err = chmodErr
	}
	if closeErr := half.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = Rename(half.Name(), path)
	}
	if err != nil {
		_ = Remove(half.Name())
	}
	return err
}

// Again repeats what fails because somebody holds a file, for holdTime at the most.
func Again(do func() error) error {
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := do()
		if err == nil || !isHeld(err) || time.Since(began) >= holdTime {
			return err
		}
		time.Sleep(pause)
	}
}
