package state

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
)

// ErrForeign says that something is no file as we write it.
var ErrForeign = errors.New("it is no file of ours")

// Read reads a file of ours. The error is ErrForeign for what is no regular file, or has more than max bytes.
func Read(path string, max int64) (b []byte, err error) {
	err = within(path, func(root *os.Root, name string) error {
		info, err := root.Lstat(name)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return ErrForeign
		}
		return files.Again(func() error {
			b, err = readIn(root, name, max)
			return err
		})
	})
	return b, err
}

func readIn(root *os.Root, name string, max int64) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if int64(len(b)) > max {
		return nil, ErrForeign
	}
	return b, err
}

// Write replaces a file of ours, or makes it. Whoever reads it finds it whole, as it was or as it is to be.
func Write(path string, b []byte, mode fs.FileMode) error {
	return writing(path, func(root *os.Root, name string) error {
		half, err := Beside(root, name, b, mode)
		if err != nil {
			return err
		}
		if err = files.Again(func() error { return root.Rename(half, name) }); err != nil {
			_ = removeIn(root, half)
		}
		return err
	})
}

// Create makes a file of ours where nothing is. The error is fs.ErrExist if something is there, whatever it is.
func Create(path string, b []byte, mode fs.FileMode) error {
	return writing(path, func(root *os.Root, name string) error {
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		_, err = f.Write(b)
		return errors.Join(err, f.Close())
	})
}

// Append opens a file of ours to be written on, and makes it if it is missing.
func Append(path string) (f *os.File, err error) {
	err = writing(path, func(root *os.Root, name string) error {
		f, err = root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		return err
	})
	return f, err
}

// Rename gives a file of ours another name in its directory. It does not wait for whoever holds it.
func Rename(path, to string) error {
	return within(path, func(root *os.Root, name string) error {
		return root.Rename(name, filepath.Join(filepath.Dir(name), to))
	})
}

// Remove removes a file of ours. One that is not there is no error. One that somebody holds is tried again for a
// while.
func Remove(path string) error {
	return files.Again(func() error { return TryRemove(path) })
}

// TryRemove is Remove that tries once.
func TryRemove(path string) error {
	err := within(path, removeIn)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// RemoveDir removes a directory of ours if it is empty: one that somebody else has put something into stays, which
// is no error.
func RemoveDir(path string) error {
	if entries, err := os.ReadDir(path); err != nil || len(entries) > 0 {
		return nil
	}
	return Remove(path)
}

// Beside writes a whole file beside another one, under a name that nobody has: name.new unless that is there. It is
// for who puts it into its place himself, by another call than a rename.
func Beside(root *os.Root, name string, b []byte, mode fs.FileMode) (half string, err error) {
	half = name + ".new"
	f, err := createIn(root, half, mode)
	if errors.Is(err, fs.ErrExist) { // another process writes the same, or has died of it
		half = name + "." + rand.Text() + ".new"
		f, err = createIn(root, half, mode)
	}
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(mode) // whatever the umask says
	}
	if err == nil {
		err = f.Sync() // a name that is there after a loss of power has a text
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = removeIn(root, half)
		return "", err
	}
	return half, nil
}

func createIn(root *os.Root, name string, mode fs.FileMode) (*os.File, error) {
	return root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

// writing is within for what is to be written: directories that are missing are made, for this user alone.
func writing(path string, do func(root *os.Root, name string) error) error {
	base, _, err := split(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(base, 0o700); err != nil {
		return err
	}
	return within(path, func(root *os.Root, name string) error {
		if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		return do(root, name)
	})
}

// within does something with a path of ours, from the directory that our own one is in. A link from
// there on that leads out is an error.
func within(path string, do func(root *os.Root, name string) error) error {
	base, name, err := split(path)
	if err != nil {
		return err
	}
	return In(base, func(root *os.Root) error { return do(root, name) })
}

// In does something in a directory, which nobody can exchange meanwhile. Links on the way to it are followed: its
// caller knows whose they are. Errors name whole paths.
func In(dir string, do func(root *os.Root) error) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	err = do(root)
	var one *fs.PathError
	var two *os.LinkError
	switch {
	case errors.As(err, &one) && !filepath.IsAbs(one.Path):
		one.Path = filepath.Join(dir, one.Path)
	case errors.As(err, &two) && !filepath.IsAbs(two.Old) && !filepath.IsAbs(two.New):
		two.Old, two.New = filepath.Join(dir, two.Old), filepath.Join(dir, two.New)
	}
	return err
}

// split finds the directory that our own one is in.
func split(path string) (base, name string, err error) {
	const slash = string(filepath.Separator)
	at := strings.LastIndex(path+slash, slash+dirName+slash)
	if at < 0 {
		return "", "", fmt.Errorf("%s is none of ours: %w", path, fs.ErrInvalid)
	}
	return path[:at+1], path[at+1:], nil
}
