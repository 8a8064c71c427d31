package house

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const module = "github.com/docker-wsl-bridge/docker-wsl-bridge/"

// floors are the rooms of docs/architecture.md. A room imports rooms of lower
// floors only; the ground imports nothing of ours.
var floors = map[string]int{
	"internal/carrier":       0,
	"internal/codes":         0,
	"internal/printable":     0,
	"internal/files":         0,
	"internal/config":        1,
	"internal/state":         1,
	"internal/wsl":           1,
	"internal/supervisor":    0,
	"internal/service":       0,
	"internal/logs":          2,
	"internal/install":       2,
	"internal/dockercontext": 2,
	"internal/endpoint":      1,
	"internal/mux":           1,
	"internal/engine":        1,
	"internal/dockerapi":     1,
	"internal/paths":         1,
	"internal/relay":         2,
	"internal/bridge":        3,
	"internal/console":       2,
	"internal/control":       2,
	"internal/deploy":        2,
	"internal/distro":        4,
	"internal/top":           3,
	"internal/support":       3,
	"internal/links":         3,
	"internal/tunnel":        5,
	"internal/advice":        6,
	"internal/supervise":     7,
	"internal/daemon":        7,
	"internal/setup":         8,
	"internal/doctor":        9,
}

// only lists packages that one room alone may import.
var only = map[string]string{
	"github.com/Microsoft/go-winio": "internal/endpoint",
	"github.com/spf13/cobra":        "cmd/docker-wsl-bridge",
}

type pkg struct {
	ImportPath, Doc, Dir string
	Name                 string
	Imports              []string
}

// list gives the packages below a pattern, as a build for goos sees them.
func list(t *testing.T, goos, pattern string) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Doc,Name,Dir,Imports", pattern)
	cmd.Dir = "../.."
	cmd.Env = append(cmd.Environ(), "GOOS="+goos)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		all = append(all, p)
	}
}

func TestImportsGoDown(t *testing.T) {
	for _, goos := range []string{"linux", "windows"} {
		for _, p := range list(t, goos, "./...") {
			for _, full := range p.Imports {
				imported, ours := strings.CutPrefix(full, module)
				if room, reserved := only[full]; reserved && p.ImportPath != room && !strings.HasPrefix(p.ImportPath, "test/") {
					t.Errorf("%s (%s) imports %s, which is %s's alone", p.ImportPath, goos, full, room)
				}
				if !ours || strings.HasPrefix(p.ImportPath, "test/") {
					continue
				}
				if strings.HasPrefix(imported, "test/") {
					t.Errorf("%s imports the tests' %s", p.ImportPath, imported)
				}
				from, housed := floors[p.ImportPath]
				if to, ok := floors[imported]; housed && ok && to >= from {
					t.Errorf("%s (floor %d) imports %s (floor %d)", p.ImportPath, from, imported, to)
				}
			}
		}
	}
}

func TestEveryRoomHasAFloorAndADoc(t *testing.T) {
	for _, p := range list(t, "linux", "./...") {
		if _, housed := floors[p.ImportPath]; strings.HasPrefix(p.ImportPath, "internal/") && !housed {
			t.Errorf("%s has no floor; docs/architecture.md and this test list the rooms", p.ImportPath)
		}
		if p.Doc == "" && p.Name != "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// The stand-in is a black box: it shares no knowledge with the product.
func TestTheStandInImportsNothingOfTheProduct(t *testing.T) {
	for _, goos := range []string{"linux", "windows"} {
		for _, p := range list(t, goos, "./test/wsl/...") {
			for _, imported := range p.Imports {
				if strings.HasPrefix(imported, module+"internal/") {
					t.Errorf("%s imports %s", p.ImportPath, imported)
				}
			}
		}
	}
}

// docs/architecture.md draws the house that stands here.
func TestArchitectureNamesEveryRoom(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for room := range floors {
		if name := filepath.Base(room); !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/architecture.md does not name the room `%s`", name)
		}
	}
}

// Whatever the program starts on Windows is born in a job, so that a killed host leaves nothing behind: by
// one helper, and so by no call of os/exec's or the system's own. What is to outlive its host is named here.
func TestNothingIsStartedOutsideAJob(t *testing.T) {
	allowed := map[string]bool{
		"internal/carrier/born_windows.go":   true, // the helper
		"internal/install/system_windows.go": true, // the installed bridge, started by who installs it
	}
	starts := regexp.MustCompile(`\bexec\.Command|\bos\.StartProcess\(|\bsyscall\.StartProcess\(|\b(windows|syscall)\.CreateProcess(AsUser)?\(`)
	for _, dir := range []string{"cmd", "internal"} {
		err := filepath.WalkDir("../../"+dir, func(path string, e fs.DirEntry, err error) error {
			name := strings.TrimPrefix(filepath.ToSlash(path), "../../")
			linux := strings.HasSuffix(name, "_linux.go") || strings.HasPrefix(name, "cmd/docker-wsl-agent/")
			if err != nil || e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || linux || allowed[name] {
				return err
			}
			b, err := os.ReadFile(path)
			if starts.Match(b) && name != "internal/carrier/process.go" { // which has startTree start its command
				t.Errorf("%s starts a process by itself", name)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
