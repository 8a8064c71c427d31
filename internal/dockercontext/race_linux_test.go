package dockercontext

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
)

const theirs = `{"Name":"windows","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://127.0.0.1:9","SkipTLSVerify":false}}}`

// atOnce is what a user does while our code is at its work: as soon as sees says so, or when ours is done.
func atOnce(ours func(), sees func() bool, user func()) {
	var done atomic.Bool
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for !sees() && !done.Load() {
			runtime.Gosched()
		}
		user()
	}()
	ours()
	done.Store(true)
	<-ended
}

// inMemory is a new directory where a sync costs nothing, if there is such a place.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "docker-wsl-bridge-*")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// more tells whether there is more in the context's directory than was known.
func more(dir string, known int) func() bool {
	return func() bool {
		entries, _ := os.ReadDir(filepath.Dir(metaFile(dir, "windows")))
		return len(entries) > known
	}
}

// A context that its user makes while we make ours is never overwritten: 300 times the user's comes as soon as
// ours is being written.
func TestContextMadeAtTheSameMomentStays(t *testing.T) {
	lost, first := 0, 0
	for n := range 300 {
		dir := filepath.Join(inMemory(t), ".docker")
		file, mine := metaFile(dir, "windows"), filepath.Join(dir, "mine")
		write(t, mine, theirs)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var made, err error
		var state State
		atOnce(func() { state, err = MakeContext(dir, "windows", host, nil, nobody) }, more(dir, 0), func() {
			made = os.Link(mine, file) // fails if ours is there already
		})
		if err != nil {
			t.Fatal(n, err)
		}
		if made == nil {
			first++
			if text(t, file) != theirs || state != Foreign {
				lost++
			}
		}
		os.RemoveAll(filepath.Dir(dir))
	}
	if lost > 0 {
		t.Errorf("%d of %d contexts of the user are lost", lost, first)
	}
}

// raceWithRename changes a context of ours at the worst moment, as the docker command does: whole, by a rename.
func raceWithRename(t *testing.T, rounds int, ours func(dir string) (State, error)) {
	for n := range rounds {
		dir := filepath.Join(inMemory(t), ".docker")
		file := metaFile(dir, "windows")
		wants(t, dir, "windows", host, nobody, Made)
		mine := file + ".docker" // as the docker command names none
		write(t, mine, theirs)
		var renamed, err error
		var state State
		atOnce(func() { state, err = ours(dir) }, more(dir, 2), func() { renamed = os.Rename(mine, file) })
		if err != nil || renamed != nil {
			t.Fatal(n, state, err, renamed)
		}
		if got := text(t, file); got != theirs {
			t.Fatalf("round %d, %s: %s", n, state, got)
		}
		if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
			t.Fatalf("round %d, %s: left %q", n, state, left)
		}
		os.RemoveAll(filepath.Dir(dir))
	}
}

// One that its user changes while we give it another host, or remove it, is as the user has made it.
func TestContextChangedWhileItIsReplacedStays(t *testing.T) {
	raceWithRename(t, 80, func(dir string) (State, error) { return MakeContext(dir, "windows", other, nil, nobody) })
}

func TestContextChangedWhileItIsRemovedStays(t *testing.T) {
	raceWithRename(t, 80, func(dir string) (State, error) { return RemoveContext(dir, "windows", nil) })
}

// What its user writes between our look and our deed is found in the deed, on file systems of both kinds.
func TestChangeBetweenLookAndDeed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".docker")
	path := metaFile(dir, "windows")
	wants(t, dir, "windows", host, nobody, Made)
	wants(t, dir, "windows", other, func(string) bool { write(t, path, theirs); return false }, Foreign)
	if got := text(t, path); got != theirs {
		t.Error(got)
	}
	ours, err := renderContext("windows", host)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() error{
		"exchanged": func() error { return inDirectoryOf(path, func(f file) error { return f.replaceIf(ours, ours, info) }) },
		"in two": func() error {
			return inDirectoryOf(path, func(f file) error { next, _ := f.writeBeside(ours, 0o600); return f.replaceInTwo(next, ours) })
		},
		"taken out":  func() error { return inDirectoryOf(path, func(f file) error { _, err := f.takeOut(ours); return err }) },
		"another is": func() error { return inDirectoryOf(path, func(f file) error { _, err := f.takeOut(nil); return err }) },
	} {
		if err := do(); !errors.Is(err, errChanged) || text(t, path) != theirs {
			t.Errorf("%s: %v, %s", name, err, text(t, path))
		}
	}
	err = inDirectoryOf(path, func(f file) error {
		next, err := f.writeBeside(ours, 0o600)
		if err != nil {
			return err
		}
		return f.replaceInTwo(next, []byte(theirs))
	})
	if err != nil || text(t, path) != string(ours) {
		t.Errorf("%v, %s", err, text(t, path))
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
}

// What docker login writes while we take our context's name out of the same file is not lost.
func TestLoginWhileTheChosenContextIsRemoved(t *testing.T) {
	for n := range 60 {
		dir := filepath.Join(inMemory(t), ".docker")
		config := filepath.Join(dir, "config.json")
		wants(t, dir, "windows", host, nobody, Made)
		write(t, config, `{"currentContext":"windows"}`)
		mine := filepath.Join(dir, "login")
		write(t, mine, `{"auths":{"x":{"auth":"c2VjcmV0"}},"currentContext":"windows"}`)
		var renamed, err error
		sees := func() bool {
			news, _ := filepath.Glob(config + ".*")
			return len(news) > 0
		}
		atOnce(func() { _, err = RemoveContext(dir, "windows", nil) }, sees, func() { renamed = os.Rename(mine, config) })
		if err != nil || renamed != nil {
			t.Fatal(err, renamed)
		}
		var c struct{ Auths map[string]any }
		if err := json.Unmarshal([]byte(text(t, config)), &c); err != nil || len(c.Auths) != 1 {
			t.Fatalf("round %d: %s", n, text(t, config))
		}
		os.RemoveAll(filepath.Dir(dir))
	}
}

// Links, read-only directories and odd modes of a user's files: nothing is lost, and what is not ours
// is as it was.
func TestOddPlacesOfContexts(t *testing.T) {
	t.Run("the directory is a link", func(t *testing.T) {
		home := t.TempDir()
		dir, real := filepath.Join(home, ".docker"), filepath.Join(home, "dotfiles")
		symlink(t, real, dir, "config.json", `{"auths":{}}`)
		cycle(t, dir)
		if text(t, filepath.Join(real, "config.json")) != `{"auths":{}}` {
			t.Error("config.json was changed")
		}
		isLink(t, dir)
	})
	t.Run("the directory of all contexts is a link", func(t *testing.T) {
		home := t.TempDir()
		dir := filepath.Join(home, ".docker")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		symlink(t, filepath.Join(home, "elsewhere"), filepath.Join(dir, "contexts"), "kept", "x")
		cycle(t, dir)
		isLink(t, filepath.Join(dir, "contexts"))
	})
	t.Run("the context's own is a link", func(t *testing.T) {
		home := t.TempDir()
		dir := filepath.Join(home, ".docker")
		own := filepath.Dir(metaFile(dir, "windows"))
		if err := os.MkdirAll(filepath.Dir(own), 0o700); err != nil {
			t.Fatal(err)
		}
		symlink(t, filepath.Join(home, "elsewhere"), own, "kept", "x")
		cycle(t, dir)
		isLink(t, own)
	})
	t.Run("config.json is a link, with a mode of its own", func(t *testing.T) {
		home := t.TempDir()
		dir, real := filepath.Join(home, ".docker"), filepath.Join(home, "dotfiles.json")
		wants(t, dir, "windows", host, nobody, Made)
		write(t, real, `{"auths":{},"currentContext":"windows"}`)
		if err := errors.Join(os.Chmod(real, 0o664), os.Symlink("../dotfiles.json", filepath.Join(dir, "config.json"))); err != nil {
			t.Fatal(err)
		}
		if got, err := RemoveContext(dir, "windows", nil); got != Removed || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		isLink(t, filepath.Join(dir, "config.json"))
		if info, err := os.Stat(real); err != nil || info.Mode().Perm() != 0o664 || CurrentContext(dir) != "" {
			t.Errorf("%v, %v", info, err)
		}
	})
	for name, make := range map[string]func(file string) error{
		"a link that leads nowhere": func(file string) error { return os.Symlink("/nowhere/at/all", file) },
		"a loop":                    func(file string) error { return os.Symlink(file, file) },
		"a directory":               func(file string) error { return os.Mkdir(file, 0o700) },
		"a pipe":                    func(file string) error { return syscall.Mkfifo(file, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), ".docker")
			file := metaFile(dir, "windows")
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), make(file)); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(file)
			wants(t, dir, "windows", host, nobody, Foreign)
			if got, err := RemoveContext(dir, "windows", recorded); got != Foreign || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			if after, err := os.Lstat(file); err != nil || !os.SameFile(before, after) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("TLS files without a context", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), ".docker")
		write(t, filepath.Join(dir, "contexts", "tls", contextID("windows"), "docker", "key.pem"), "x")
		wants(t, dir, "windows", host, nobody, Foreign)
	})
}

func symlink(t *testing.T, real, link, file, content string) {
	t.Helper()
	write(t, filepath.Join(real, file), content)
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
}

func isLink(t *testing.T, file string) {
	t.Helper()
	if info, err := os.Lstat(file); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("%s is no link any more: %v", file, err)
	}
}

// cycle makes, changes and removes a context.
func cycle(t *testing.T, dir string) {
	t.Helper()
	wants(t, dir, "windows", host, nobody, Made)
	wants(t, dir, "windows", other, nobody, Made)
	if got, err := RemoveContext(dir, "windows", nil); got != Removed || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := os.Lstat(metaFile(dir, "windows")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(fmt.Errorf("it is there: %w", err))
	}
}
