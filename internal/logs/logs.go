// Package logs is a log file that can't grow without end: it is cut into a few files of a size, and
// read as if it were one, also while it is written.
//
// It knows lines and files, not what is in them. A file has one writer; who that is, is settled
// elsewhere.
//
// Law: a line is in one file, whole; whoever reads a file never keeps its writer from going on; and
// a reader that follows misses no line, unless all files were renewed since it last looked.
package logs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

const (
	// maxSize is where a file ends. A line that finds no room begins the next one.
	maxSize = 1 << 20
	// pieces is how many there are: the one that is written and those before it.
	pieces = 5
)

// File is a log that is written. Write takes whole lines.
type File struct {
	path string

	mu   sync.Mutex
	f    *os.File // nil: it could not be opened anew; the next Write tries again
	size int64
}

// Open goes on with a log, or begins it. The directory is made if it is missing, for this user alone.
func Open(path string) (*File, error) {
	l := &File{path: path}
	if err := l.openNextFile(); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return l, nil
}

func (l *File) openNextFile() error {
	f, err := state.OpenAppend(l.path)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.f, l.size = f, info.Size()
	return nil
}

// Write adds whole lines. When the file is full they begin the next one.
func (l *File) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil && l.size > 0 && l.size+int64(len(b)) > maxSize {
		l.rotateFiles()
	}
	if l.f == nil {
		if err := l.openNextFile(); err != nil {
			return 0, fmt.Errorf("open log: %w", err)
		}
	}
	n, err := l.f.Write(b)
	l.size += int64(n)
	return n, err
}

// rotateFiles closes the file, since Windows renames none that its owner has open, and moves all of them
// on. If somebody else holds one (an editor, a virus scanner) it is written on and
// tried again at the next line: a log that is too long is better than none.
func (l *File) rotateFiles() {
	_ = l.f.Close()
	l.f = nil
	last := 1 // the first one that is missing, as where this has failed in the middle: nothing is lost for it
	for last < pieces-1 && fileExists(pieceName(l.path, last)) {
		last++
	}
	for i := last; i > 0; i-- {
		if err := state.RenameFile(pieceName(l.path, i-1), filepath.Base(pieceName(l.path, i))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return
		}
	}
}

func fileExists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Close ends it.
func (l *File) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	err := l.f.Close()
	l.f = nil
	return err
}

// pieceName is the file before the current one by so many.
func pieceName(path string, i int) string {
	if i == 0 {
		return path
	}
	return path + "." + strconv.Itoa(i)
}
