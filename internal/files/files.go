// Package files reads files that other programs may have open, and tries again what others keep from being done.
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
	"os"
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
