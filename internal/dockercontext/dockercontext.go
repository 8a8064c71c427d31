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
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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

// ConfigDir is where the docker command of this environment has its files, and whether its user has
// chosen that place. home is taken where the environment names none.
func ConfigDir(getenv func(string) string, home string) string {
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

// maxTries bounds how often it is begun anew when somebody else writes at the same time.
const maxTries = 20

// MakeContext makes a context that leads to host. In the way are one that is not ours, and one that is
// ours and leads to another host which is served. recorded are the names of those that the version
// before is known to have made.
func MakeContext(dir, name, host string, recorded []string, served func(host string) bool) (State, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	for range maxTries {
		state, err := makeOnce(dir, name, host, recorded, served)
		if errors.Is(err, errChanged) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("make docker context %s: %w", name, err)
		}
		return state, nil
	}
	return Foreign, nil
}

func makeOnce(dir, name, host string, recorded []string, served func(host string) bool) (State, error) {
	old, err := readContext(dir, name)
	fresh := errors.Is(err, fs.ErrNotExist)
	_, tls := tlsFiles(dir, name)
	switch {
	case fresh && tls: // whose host would be told to speak TLS
		return Foreign, nil
	case fresh:
	case isOfSystem(err):
		return "", err
	case err != nil || !old.isOurs(recorded): // whatever it is, it is not ours
		return Foreign, nil
	case old.dockerHost() == host:
		return Kept, nil
	case served(old.dockerHost()):
		return Taken, nil
	}
	b, err := renderContext(name, host)
	if err != nil {
		return "", err
	}
	if !fresh {
		return Made, inDirectoryOf(metaFile(dir, name), func(f file) error { return f.replaceIf(old.bytes, b, old.info) })
	}
	return Made, putContext(dir, name, b)
}

// isOfSystem tells a file that can't be read from one with something else in it.
func isOfSystem(err error) bool {
	var of *fs.PathError
	return errors.As(err, &of)
}

// RemoveContext removes a context, if it is ours. Where the user has made it the one that docker takes, docker
// takes its default one again, since it does nothing at all with a name that there is no context of.
func RemoveContext(dir, name string, recorded []string) (State, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	for range maxTries {
		state, err := removeOnce(dir, name, recorded)
		if errors.Is(err, errChanged) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("remove docker context %s: %w", name, err)
		}
		return state, nil
	}
	return Foreign, nil
}

func removeOnce(dir, name string, recorded []string) (State, error) {
	s, err := readContext(dir, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return None, nil
	case isOfSystem(err):
		return "", err
	case err != nil || !s.isOurs(recorded):
		return Foreign, nil
	}
	undo, err := forgetCurrent(dir, name)
	if err != nil {
		return "", err
	}
	path, taken := metaFile(dir, name), false
	err = inDirectoryOf(path, func(f file) error {
		aside, err := f.takeOut(s.bytes)
		if taken = err == nil; !taken {
			return err
		}
		return f.root.Remove(aside)
	})
	if err != nil {
		if !taken {
			undo()
		}
		if !taken && errors.Is(err, fs.ErrNotExist) {
			err = errChanged
		}
		return "", err
	}
	pruneEmpty(dir, filepath.Dir(path))
	return Removed, nil
}

// pruneEmpty removes directories that are empty by now, which is no loss. A link to one is the user's.
func pruneEmpty(dir, from string) {
	for d := from; d != filepath.Dir(dir); d = filepath.Dir(d) {
		info, err := os.Lstat(d)
		if err != nil || !info.IsDir() || os.Remove(d) != nil {
			return
		}
	}
}

// forgetCurrent takes a context's name out of docker's configuration, and leaves the rest of it as it is. undo puts
// it back, if nobody has changed the file since.
func forgetCurrent(dir, name string) (undo func(), err error) {
	nothing := func() {}
	path, err := filepath.EvalSymlinks(filepath.Join(dir, "config.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nothing, nil
	}
	if err != nil {
		return nil, err
	}
	if CurrentContext(dir) != name {
		return nothing, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	was, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	b, err := withoutCurrent(was)
	if err == nil {
		err = inDirectoryOf(path, func(f file) error { return f.replaceIf(was, b, info) })
	}
	return func() { _ = inDirectoryOf(path, func(f file) error { return f.replaceIf(b, was, info) }) }, err
}

func withoutCurrent(config []byte) ([]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(config, &all); err != nil {
		return nil, err
	}
	for key := range all {
		if strings.EqualFold(key, currentKey) { // as Go's decoder reads it, which is docker's
			delete(all, key)
		}
	}
	return json.MarshalIndent(all, "", "\t")
}

const currentKey = "currentContext"

// CurrentContext is the context that docker's configuration names; "" is none. The file is read as docker does (LoadFromReader
// in cli/config/configfile of docker/cli): the first value alone, whatever stands behind it; the case of a key counts for
// nothing, and of two equal ones the last counts. With a byte order mark docker can't read it and goes on without.
func CurrentContext(dir string) string {
	b, err := readBounded(filepath.Join(dir, "config.json"))
	if err != nil {
		return ""
	}
	var config struct{ CurrentContext string }
	if json.NewDecoder(bytes.NewReader(b)).Decode(&config) != nil {
		return ""
	}
	return config.CurrentContext
}

// maxListed bounds a list.
const maxListed = 200

// ListContexts are the contexts, in the order of their names.
func ListContexts(dir string, recorded []string) ([]Context, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "contexts", "meta"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list docker contexts: %w", err)
	}
	var list []Context
	for _, e := range entries {
		m, err := readMeta(filepath.Join(dir, "contexts", "meta", e.Name(), "meta.json"))
		if err != nil || contextID(m.Name) != e.Name() || len(list) == maxListed {
			continue
		}
		s, err := readContext(dir, m.Name)
		if err != nil {
			continue
		}
		list = append(list, Context{Name: s.Name, Host: s.dockerHost(), Ours: s.isOurs(recorded)})
	}
	slices.SortFunc(list, func(a, b Context) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func contextID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

func metaFile(dir, name string) string {
	return filepath.Join(dir, "contexts", "meta", contextID(name), "meta.json")
}
