package dockercontext

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// docker runs the real docker command on the files in dir.
func docker(t *testing.T, dir string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("docker"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	cmd := exec.Command("docker", append([]string{"--config", dir}, args...)...)
	cmd.Dir = filepath.Dir(dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("docker %q: %v: %s", args, err, out)
	}
}

// earlier writes a context as the version before did.
func earlier(t *testing.T, dir, name string) {
	t.Helper()
	write(t, metaFile(dir, name), `{"Name":"`+name+`","Metadata":{"Description":"The Docker engine of Windows","docker-wsl-bridge":"`+host+`"},"Endpoints":{"docker":{"Host":"`+host+`","SkipTLSVerify":false}}}`)
}

// stays wants a context to be its user's, to the byte, whatever we are told to do with it.
func stays(t *testing.T, dir, name string) {
	t.Helper()
	file := metaFile(dir, name)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{host, other} {
		wants(t, dir, name, host, nobody, Foreign)
	}
	if got, err := RemoveContext(dir, name, recorded); got != Foreign || err != nil {
		t.Errorf("remove %s: %q, %v", name, got, err)
	}
	list, err := ListContexts(dir, recorded)
	if i := slices.IndexFunc(list, func(c Context) bool { return c.Name == name }); err != nil || i >= 0 && list[i].Ours {
		t.Errorf("%+v, %v", list, err)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("%s became %s, %v", before, after, err)
	}
}

// What the docker command copies from a context of ours is its user's, and the one copied stays ours.
func TestCopiesOfOurContextAreTheirUsers(t *testing.T) {
	for form, create := range map[string]func(*testing.T, string){
		"of this version":   func(t *testing.T, dir string) { wants(t, dir, "windows", host, nobody, Made) },
		"of the one before": func(t *testing.T, dir string) { earlier(t, dir, "windows") },
		"of this, and moved": func(t *testing.T, dir string) {
			wants(t, dir, "windows", other, nobody, Made)
			wants(t, dir, "windows", host, nobody, Made)
		},
	} {
		t.Run(form, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), ".docker")
			create(t, dir)
			docker(t, dir, "context", "export", "windows", "exported.tar")
			docker(t, dir, "context", "import", "imported", "exported.tar")
			docker(t, dir, "context", "create", "copied", "--from", "windows")
			docker(t, dir, "context", "create", "described", "--from", "windows", "--description", "mine")
			for _, name := range []string{"imported", "copied", "described"} {
				stays(t, dir, name)
			}
			if got, err := RemoveContext(dir, "windows", recorded); got != Removed || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// One of ours that its user has changed is the user's from then on.
func TestOurContextChangedByItsUserIsTheUsers(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, dir string){
		"described": func(t *testing.T, dir string) {
			docker(t, dir, "context", "update", "windows", "--description", "mine")
		},
		"another host": func(t *testing.T, dir string) {
			docker(t, dir, "context", "update", "windows", "--docker", "host=tcp://127.0.0.1:9")
		},
		"the same again": func(t *testing.T, dir string) {
			docker(t, dir, "context", "update", "windows", "--docker", "host="+host)
		},
		"no verification": func(t *testing.T, dir string) {
			docker(t, dir, "context", "update", "windows", "--docker", "host="+host+",skip-tls-verify=true")
		},
		"TLS files": func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "contexts", "tls", contextID("windows"), "docker", "ca.pem"), "a key")
		},
		"imported again": func(t *testing.T, dir string) {
			docker(t, dir, "context", "export", "windows", "exported.tar")
			docker(t, dir, "context", "rm", "windows")
			docker(t, dir, "context", "import", "windows", "exported.tar")
		},
		"more metadata": func(t *testing.T, dir string) { edit(t, dir, `"Metadata":{`, `"Metadata":{"Owner":"jane",`) },
		"more endpoints": func(t *testing.T, dir string) {
			edit(t, dir, `"Endpoints":{`, `"Endpoints":{"kubernetes":{"Host":"https://127.0.0.1:6443"},`)
		},
		"an end of line":     func(t *testing.T, dir string) { edit(t, dir, "}}}", "}}}\n") },
		"the mark is edited": func(t *testing.T, dir string) { edit(t, dir, "windows sha256:", "windows sha256: ") },
		"a link": func(t *testing.T, dir string) {
			away := filepath.Join(filepath.Dir(dir), "meta.json")
			if err := os.Rename(metaFile(dir, "windows"), away); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(away, metaFile(dir, "windows")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), ".docker")
			wants(t, dir, "windows", host, nobody, Made)
			change(t, dir)
			stays(t, dir, "windows")
		})
	}
}

func edit(t *testing.T, dir, from, to string) {
	t.Helper()
	file := metaFile(dir, "windows")
	before := text(t, file)
	after := strings.Replace(before, from, to, 1)
	if after == before {
		t.Fatalf("%s has no %s", before, from)
	}
	write(t, file, after)
}

// A context of the version before is ours if it is recorded and to the byte what that wrote.
func TestContextOfTheVersionBefore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".docker")
	earlier(t, dir, "windows")
	earlier(t, dir, "copied") // as docker context create --from writes it
	wants(t, dir, "windows", host, somebody, Kept)
	wants(t, dir, "windows", other, somebody, Taken)
	wants(t, dir, "windows", other, nobody, Made)
	stays(t, dir, "copied")
	if list, err := ListContexts(dir, recorded); err != nil || !slices.Equal(list, []Context{{"copied", host, false}, {"windows", other, true}}) {
		t.Errorf("%+v, %v", list, err)
	}
	earlier(t, dir, "windows")
	edit(t, dir, "The Docker engine of Windows", "mine")
	stays(t, dir, "windows")
	earlier(t, dir, "windows")
	if got, err := RemoveContext(dir, "windows", recorded); got != Removed || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// The docker command takes what we write, and a name that looks like a digest confuses nobody.
func TestOurContextIsOneOfDockers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".docker")
	for _, name := range []string{"windows", noDigest, strings.Repeat("a", 64), "a.b_c+d-1"} {
		wants(t, dir, name, host, nobody, Made)
		wants(t, dir, name, host, nobody, Kept)
		var m struct{ Metadata map[string]any }
		if err := json.Unmarshal([]byte(text(t, metaFile(dir, name))), &m); err != nil || m.Metadata["Description"] != description {
			t.Errorf("%+v, %v", m, err)
		}
		docker(t, dir, "context", "inspect", name)
		docker(t, dir, "context", "use", name)
		wants(t, dir, name, other, nobody, Made)
		if got, err := RemoveContext(dir, name, nil); got != Removed || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if CurrentContext(dir) != "" {
			t.Error("a context that is gone is the chosen one")
		}
	}
}
