// Package dockercontext is what we know of the docker command's contexts: where they lie, what is
// in them, and which of them the command takes.
//
// It reads and writes the files of whoever runs it. It knows neither who that is nor what listens at
// a host; it is told whether somebody does.
//
// Law: a context that we have not made, or that was changed since, is never written or removed;
// what is under a context's name is whole.
package dockercontext

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// nameForm is that of the docker command, which refuses other names.
var nameForm = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.+-]{1,99}$`)

// CheckName tells whether a context can be called so. The docker command has a context default
// that no file is for.
func CheckName(name string) error {
	if name == "default" || !nameForm.MatchString(name) {
		return fmt.Errorf("%+q is no name for a docker context: it has two to a hundred letters, digits and _ . + -, and is not default", name)
	}
	return nil
}

// Dir is where the docker command of this environment has its files, and whether its user has
// chosen that place. home is taken where the environment names none.
func Dir(getenv func(string) string, home string) string {
	if dir := getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	if dir := getenv("HOME"); dir != "" {
		home = dir
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".docker")
}

// mark is the key of the metadata that makes a context ours. Its value is the host that we wrote: a
// context whose host is another by now is its user's. The docker command keeps keys that it
// does not know, also when it updates the context.
const mark = "docker-wsl-bridge"

// meta is a context's file. All that is not ours to know is left out: such a file is not written.
type meta struct {
	Name      string
	Metadata  map[string]any
	Endpoints map[string]endpoint
}

type endpoint struct {
	Host          string
	SkipTLSVerify bool
}

const description = "The Docker engine of Windows"

func (m meta) host() string { return m.Endpoints["docker"].Host }

func (m meta) ours() bool {
	host, marked := m.Metadata[mark].(string)
	return marked && host == m.host()
}

// Context is one of them.
type Context struct {
	Name string `json:"name"`
	Host string `json:"host"`
	Ours bool   `json:"ours"`
}

// State is what came of a wish.
type State string

// The states.
const (
	Made    State = "made"
	Kept    State = "kept"    // it was there already, as it should be
	Foreign State = "foreign" // somebody else has made it, or changed it since
	Taken   State = "taken"   // it is one of ours and leads to another socket, which is served
	Removed State = "removed"
	None    State = "none" // it was not there
)

// Make makes a context that leads to host. In the way are one that is not ours, and one that is
// ours and leads to another host which is served.
func Make(dir, name, host string, served func(host string) bool) (State, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	old, err := read(dir, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case isOfSystem(err):
		return "", fmt.Errorf("make docker context %s: %w", name, err)
	case err != nil || !old.ours(): // whatever it is, it is not ours
		return Foreign, nil
	case old.host() == host:
		return Kept, nil
	case served(old.host()):
		return Taken, nil
	}
	b, err := json.Marshal(meta{
		Name:      name,
		Metadata:  map[string]any{"Description": description, mark: host},
		Endpoints: map[string]endpoint{"docker": {Host: host}},
	})
	if err == nil {
		err = put(dir, name, b)
	}
	if err != nil {
		return "", fmt.Errorf("make docker context %s: %w", name, err)
	}
	return Made, nil
}

// isOfSystem tells a file that can't be read from one with something else in it.
func isOfSystem(err error) bool {
	var of *fs.PathError
	return errors.As(err, &of)
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
	return replace(file, b, 0o644)
}

// replace never leaves half a file under the name.
func replace(file string, b []byte, mode fs.FileMode) error {
	half := fmt.Sprintf("%s.%d.new", file, os.Getpid())
	err := os.WriteFile(half, b, mode)
	if err == nil {
		err = os.Rename(half, file)
	}
	if err != nil {
		_ = os.Remove(half)
	}
	return err
}

// Remove removes a context, if it is ours. Where the user has made it the one that docker takes, docker
// takes its default one again, since it does nothing at all with a name that there is no context of.
func Remove(dir, name string) (State, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	m, err := read(dir, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return None, nil
	case isOfSystem(err):
		return "", fmt.Errorf("remove docker context %s: %w", name, err)
	case err != nil || !m.ours():
		return Foreign, nil
	}
	if err := remove(dir, name); err != nil {
		return "", fmt.Errorf("remove docker context %s: %w", name, err)
	}
	return Removed, nil
}

func remove(dir, name string) error {
	if err := forget(dir, name); err != nil {
		return err
	}
	file := metaFile(dir, name)
	if err := os.Remove(file); err != nil {
		return err
	}
	// What is empty by now is no loss; a link to a directory is the user's.
	for d := filepath.Dir(file); d != filepath.Dir(dir); d = filepath.Dir(d) {
		info, err := os.Lstat(d)
		if err != nil || !info.IsDir() || os.Remove(d) != nil {
			break
		}
	}
	return nil
}

// forget takes a context's name out of docker's configuration, and leaves the rest of it as it is.
func forget(dir, name string) error {
	file, err := filepath.EvalSymlinks(filepath.Join(dir, "config.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if Current(dir) != name {
		return nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	b, err := readBounded(file)
	if err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	for key := range all {
		if strings.EqualFold(key, currentKey) { // as Go's decoder reads it, which is docker's
			delete(all, key)
		}
	}
	if b, err = json.MarshalIndent(all, "", "\t"); err != nil {
		return err
	}
	return replace(file, b, info.Mode().Perm())
}

const currentKey = "currentContext"

// Current is the context that docker's configuration names; "" is none.
func Current(dir string) string {
	b, err := readBounded(filepath.Join(dir, "config.json"))
	if err != nil {
		return ""
	}
	var config struct{ CurrentContext string }
	if json.Unmarshal(b, &config) != nil {
		return ""
	}
	return config.CurrentContext
}

// maxListed bounds a list.
const maxListed = 200

// List are the contexts, in the order of their names.
func List(dir string) ([]Context, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "contexts", "meta"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list docker contexts: %w", err)
	}
	var list []Context
	for _, e := range entries {
		m, err := readFile(filepath.Join(dir, "contexts", "meta", e.Name(), "meta.json"))
		if err != nil || id(m.Name) != e.Name() || len(list) == maxListed {
			continue
		}
		list = append(list, Context{Name: m.Name, Host: m.host(), Ours: m.ours()})
	}
	slices.SortFunc(list, func(a, b Context) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func id(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

func metaFile(dir, name string) string {
	return filepath.Join(dir, "contexts", "meta", id(name), "meta.json")
}

func read(dir, name string) (meta, error) { return readFile(metaFile(dir, name)) }

func readFile(file string) (meta, error) {
	b, err := readBounded(file)
	if err != nil {
		return meta{}, err
	}
	var m meta
	return m, json.Unmarshal(b, &m)
}

// maxFile bounds a file of docker's; a context's has 200 bytes.
const maxFile = 1 << 20

// readBounded reads a file that is one: a named pipe would never end.
func readBounded(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, errors.New("it is no file of docker's")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile))
}
