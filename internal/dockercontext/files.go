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

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
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
func readBounded(path string) ([]byte, error) {
	return readOpen(os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0))
}

func readOpen(f *os.File, err error) ([]byte, error) {
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

// at does something with a file in its directory. Links on the way there are its user's, who runs us, and are
// followed once: what is looked at and what is changed then is in one directory.
func at(path string, do func(file) error) error {
	return state.In(filepath.Dir(path), func(root *os.Root) error { return do(file{root, filepath.Base(path)}) })
}

// file is one of docker's.
type file struct {
	root *os.Root // its directory
	name string
}

// beside writes a file beside this one.
func (f file) beside(b []byte, mode fs.FileMode) (name string, err error) {
	return state.Beside(f.root, f.name, b, mode)
}

// put makes directories as the docker command does. That of the user must be there.
func put(dir, name string, b []byte) error {
	if _, err := os.Stat(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	path := metaFile(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	err := at(path, func(f file) error { return f.create(b) })
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return errChanged // docker context rm removes the directory
	}
	return err
}

// contextMode is what the docker command gives a context's file.
const contextMode = 0o644

// create puts a whole file where none is, or gives fs.ErrExist. A file system without hard links gets it
// in the place itself: it is shorter than what a write takes in one piece.
func (f file) create(b []byte) error {
	half, err := f.beside(b, contextMode)
	if err != nil {
		return err
	}
	defer f.root.Remove(half)
	if err = f.root.Link(half, f.name); err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	direct, err := f.root.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, contextMode)
	if err != nil {
		return err
	}
	_, err = direct.Write(b)
	if err = errors.Join(err, direct.Close()); err != nil {
		_ = f.root.Remove(f.name)
	}
	return err
}

// isStill tells whether a file of the directory has these bytes, and is one.
func (f file) isStill(name string, b []byte) bool {
	info, err := f.root.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	is, err := readOpen(f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0))
	return err == nil && bytes.Equal(is, b)
}

// takeOut moves a file out of the way if it has these bytes, and gives where it is. Else it is errChanged.
func (f file) takeOut(b []byte) (aside string, err error) {
	aside, err = f.beside(nil, 0o600)
	if err != nil {
		return "", err
	}
	if err := f.root.Rename(f.name, aside); err != nil {
		_ = f.root.Remove(aside)
		return "", err
	}
	if !f.isStill(aside, b) {
		return "", cmp.Or(f.giveBack(aside), errChanged)
	}
	return aside, nil
}

// giveBack puts a file under the name if that has none, or gives errChanged: its user has made a newer one.
func (f file) giveBack(aside string) error {
	switch err := f.root.Link(aside, f.name); {
	case errors.Is(err, fs.ErrExist):
		return cmp.Or(f.root.Remove(aside), errChanged)
	case err != nil: // a directory, or a file system without hard links
		return f.root.Rename(aside, f.name)
	}
	return f.root.Remove(aside)
}

// replace puts a file in the place of one that has the old bytes. Else it is errChanged. There is a
// whole file under the name all the time, where the file system can exchange two.
func (f file) replace(old, b []byte, as fs.FileInfo) error {
	next, err := f.beside(b, as.Mode().Perm())
	if err != nil {
		return err
	}
	keepOwner(f.root, next, as)
	if err = f.swap(next, old); errors.Is(err, errors.ErrUnsupported) {
		err = f.replaceInTwo(next, old)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return errChanged
	}
	return err
}

// replaceInTwo is replace where two files can't be exchanged.
func (f file) replaceInTwo(next string, old []byte) error {
	aside, err := f.takeOut(old)
	if err != nil {
		return errors.Join(err, f.root.Remove(next))
	}
	if err = f.giveBack(next); err == nil || errors.Is(err, errChanged) {
		return errors.Join(err, f.root.Remove(aside))
	}
	return errors.Join(err, f.root.Rename(aside, f.name), f.root.Remove(next))
}

// swap exchanges two files, and back again if what comes out has not the old bytes. What comes out
// then may be newer than what was put back, and is put back itself, until it is what was put there before: each
// time a user has written anew. Only what its user or we have replaced is removed.
func (f file) swap(next string, old []byte) error {
	var last fs.FileInfo // what was put there the time before
	for {
		putting, err := f.root.Lstat(next)
		if err == nil {
			err = exchange(f.root, next, f.name)
		}
		switch {
		case err != nil && last == nil:
			return errors.Join(err, f.remains(next, err))
		case err != nil: // its user has removed what we had put there
			return cmp.Or(f.giveBack(next), errChanged)
		}
		out, err := f.root.Lstat(next)
		switch {
		case err != nil:
			return err
		case last == nil && f.isStill(next, old):
			return f.root.Remove(next)
		case last != nil && os.SameFile(out, last):
			return cmp.Or(f.root.Remove(next), errChanged)
		}
		last = putting
	}
}

// remains removes our file after a failure, unless it is still of use.
func (f file) remains(next string, err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return f.root.Remove(next)
}
