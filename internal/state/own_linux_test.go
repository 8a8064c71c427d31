package state

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// TestUnderWine runs this package's tests as a Windows program.
func TestUnderWine(t *testing.T) { lab.RunUnderWine(t, "./internal/state") }

// elsewhere is a directory of somebody else with one file, which stays as it is.
func elsewhere(t *testing.T) (dir string) {
	dir = t.TempDir()
	victim := filepath.Join(dir, "x.json")
	if err := os.WriteFile(victim, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		if b, _ := os.ReadFile(victim); err != nil || len(left) != 1 || string(b) != "theirs" {
			t.Errorf("there are %v, %v, with %q", left, err, b)
		}
	})
	return dir
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

// A link in the place of our directory, or of one in it, leads nobody elsewhere: neither who writes nor who
// removes. On Windows that is a junction, which takes no rights to make.
func TestLinksLeadNobodyElsewhere(t *testing.T) {
	for name, do := range changes() {
		t.Run(name, func(t *testing.T) {
			for _, in := range []string{"", "run", filepath.Join("a", "b")} {
				dir, to := own(t), elsewhere(t)
				link(t, to, filepath.Join(dir, in))
				if err := do(filepath.Join(dir, in, "x.json")); err == nil {
					t.Errorf("a link at %q is followed", in)
				}
			}
		})
	}
	dir := own(t)
	link(t, elsewhere(t), filepath.Join(dir, "run"))
	if b, err := Read(filepath.Join(dir, "run", "x.json"), 10); err == nil {
		t.Errorf("read %q", b)
	}
}

// A link in the place of a file is replaced, moved and removed, and not followed.
func TestALinkIsNoFile(t *testing.T) {
	for name, do := range changes() {
		t.Run(name, func(t *testing.T) {
			dir := own(t)
			path := filepath.Join(dir, "x.json")
			link(t, filepath.Join(elsewhere(t), "x.json"), path)
			link(t, filepath.Join(elsewhere(t), "x.json"), path+".new")
			link(t, filepath.Join(elsewhere(t), "y.json"), path+"2")
			switch err := do(path); name {
			case "create", "append":
				if err == nil {
					t.Error("it is followed")
				}
			default:
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	path := filepath.Join(own(t), "x.json")
	link(t, filepath.Join(elsewhere(t), "x.json"), path)
	if b, err := Read(path, 10); err == nil {
		t.Errorf("read %q", b)
	}
}

// A file is its user's alone, whatever the umask.
func TestFilesAreTheirUsers(t *testing.T) {
	path := filepath.Join(own(t), "logs", "x.log")
	f, err := Append(path)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := Write(path+".json", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{path: 0o600, path + ".json": 0o600, filepath.Dir(path): 0o700 | os.ModeDir, filepath.Dir(filepath.Dir(path)): 0o700 | os.ModeDir} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}
