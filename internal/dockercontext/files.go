package dockercontext

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// The docker command writes these files at any time and takes no lock. So nothing is decided here and
// then done: a new file is put where none is by a call that fails if one is, and an old one is
// taken out first, and only then looked at.

// errChanged says that a file is not what it was when it was read. It is as its user has left it.
var errChanged = errors.New("somebody else changes it at the same time")

var errNoFile = errors.New("it is no file of docker's")

// maxFile bounds a file of docker's; a context's has 300 bytes.
const maxFile = 1 << 20

// readBounded reads a file that is one: a named pipe would never end.
func readBounded(file string) ([]byte, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, errNoFile
	}
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// put makes directories as the docker command does. That of the user must be there.
func put(dir, name string, b []byte) error {
	if _, err := os.Stat(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	file := metaFile(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	err := create(file, b)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return errChanged // docker context rm removes the directory
	}
	return err
}

// contextMode is what the docker command gives a context's file.
const contextMode = 0o644

// beside writes a file beside another one, under a name that nobody has.
func beside(file string, b []byte, mode fs.FileMode) (path string, err error) {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.new")
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync() // a name that is there after a loss of power has a text
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
	}
	return f.Name(), err
}

// create puts a whole file where none is, or gives fs.ErrExist. A file system without hard links gets it
// in the place itself: it is shorter than what a write takes in one piece.
func create(file string, b []byte) error {
	half, err := beside(file, b, contextMode)
	if err != nil {
		return err
	}
	defer os.Remove(half)
	if err = os.Link(half, file); err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, contextMode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(file)
	}
	return err
}

// isStill tells whether a file has these bytes, and is one.
func isStill(file string, b []byte) bool {
	info, err := os.Lstat(file)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	is, err := readBounded(file)
	return err == nil && bytes.Equal(is, b)
}

// takeOut moves a file out of the way if it has these bytes, and gives where it is. Else it is errChanged.
func takeOut(file string, b []byte) (aside string, err error) {
	aside, err = beside(file, nil, 0o600)
	if err != nil {
		return "", err
	}
	if err := os.Rename(file, aside); err != nil {
		_ = os.Remove(aside)
		return "", err
	}
	if !isStill(aside, b) {
		return "", cmp.Or(giveBack(aside, file), errChanged)
	}
	return aside, nil
}

// giveBack puts a file under a name that has none, or gives errChanged: its user has made a newer one.
func giveBack(aside, file string) error {
	switch err := os.Link(aside, file); {
	case errors.Is(err, fs.ErrExist):
		return cmp.Or(os.Remove(aside), errChanged)
	case err != nil: // a directory, or a file system without hard links
		return os.Rename(aside, file)
	}
	return os.Remove(aside)
}

// replace puts a file in the place of one that has the old bytes. Else it is errChanged. There is a
// whole file under the name all the time, where the file system can exchange two.
func replace(file string, old, b []byte, as fs.FileInfo) error {
	next, err := beside(file, b, as.Mode().Perm())
	if err != nil {
		return err
	}
	keepOwner(next, as)
	if err = swap(next, file, old); errors.Is(err, errors.ErrUnsupported) {
		err = replaceInTwo(next, file, old)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return errChanged
	}
	return err
}

// replaceInTwo is replace where two files can't be exchanged.
func replaceInTwo(next, file string, old []byte) error {
	aside, err := takeOut(file, old)
	if err != nil {
		return errors.Join(err, os.Remove(next))
	}
	if err = giveBack(next, file); err == nil || errors.Is(err, errChanged) {
		return errors.Join(err, os.Remove(aside))
	}
	return errors.Join(err, os.Rename(aside, file), os.Remove(next))
}

// swap exchanges two files, and back again if what comes out has not the old bytes. What comes out
// then may be newer than what was put back, and is put back itself, until it is what was put there before: each
// time a user has written anew. Only what its user or we have replaced is removed.
func swap(next, file string, old []byte) error {
	var last fs.FileInfo // what was put there the time before
	for {
		putting, err := os.Lstat(next)
		if err == nil {
			err = exchange(next, file)
		}
		switch {
		case err != nil && last == nil:
			return errors.Join(err, remains(next, err))
		case err != nil: // its user has removed what we had put there
			return cmp.Or(giveBack(next, file), errChanged)
		}
		out, err := os.Lstat(next)
		switch {
		case err != nil:
			return err
		case last == nil && isStill(next, old):
			return os.Remove(next)
		case last != nil && os.SameFile(out, last):
			return cmp.Or(os.Remove(next), errChanged)
		}
		last = putting
	}
}

// remains removes our file after a failure, unless it is still of use.
func remains(next string, err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return os.Remove(next)
}
