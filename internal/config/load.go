package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// ErrUntrusted says that the machine's file could be changed by others than administrators.
var ErrUntrusted = errors.New("others than administrators can change it")

// Load reads the machine's and the user's file, and puts them together. A file that is not there
// says nothing. The error is an Errors if the files can be read and are wrong.
func Load(machine, user string) (*Config, error) {
	shared, sharedRead, ignored := loadMachine(machine)
	if ignored != nil && !errors.Is(ignored, ErrUntrusted) {
		return nil, ignored
	}
	own, ownRead, err := loadOneFile(user, files.OpenShared, false)
	if err != nil {
		return nil, err
	}
	c, err := mergeFiles(shared, own)
	if err != nil {
		return nil, err
	}
	c.Ignored = ignored
	if sharedRead {
		c.Files = append(c.Files, machine)
	}
	if ownRead {
		c.Files = append(c.Files, user)
	}
	return c, nil
}

// CheckFile reads a file as a user's, by itself.
func CheckFile(name string) (*Config, error) {
	f, read, err := loadOneFile(name, files.OpenShared, false)
	if err != nil {
		return nil, err
	}
	if !read {
		return nil, fmt.Errorf("read configuration: %w", &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist})
	}
	c, err := mergeFiles(&file{}, f)
	if err == nil {
		c.Files = []string{name}
	}
	return c, err
}

func loadMachine(name string) (*file, bool, error) {
	f, read, err := loadOneFile(name, openTrusted, true)
	if errors.Is(err, ErrUntrusted) {
		return &file{}, false, err
	}
	return f, read, err
}

func loadOneFile(name string, open func(string) (*os.File, error), machine bool) (f *file, read bool, err error) {
	if name == "" {
		return &file{}, false, nil
	}
	text, err := readFile(name, open)
	if errors.Is(err, fs.ErrNotExist) {
		return &file{}, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read configuration: %w", err)
	}
	f, err = parseFile(name, text, machine)
	return f, err == nil, err
}

// readFile reads no more than a file may have, and one byte.
func readFile(name string, open func(string) (*os.File, error)) ([]byte, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", printable.Line(name)) // a pipe would not end
	}
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxFile+1))
}
