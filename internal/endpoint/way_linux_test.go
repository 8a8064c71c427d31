package endpoint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// landscape is a directory with all kinds of ways in it. Eve is uid 1234.
func landscape(t *testing.T) string {
	t.Helper()
	base := t.TempDir()
	const eve = 1234
	at := func(name string) string { return filepath.Join(base, name) }
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	mkdir := func(name string, mode uint32, uid int) {
		must(os.Mkdir(at(name), 0o700))
		must(unix.Chmod(at(name), mode))
		must(os.Chown(at(name), uid, -1))
	}
	link := func(to, name string, uid int) {
		must(os.Symlink(to, at(name)))
		must(os.Lchown(at(name), uid, -1))
	}
	us := os.Geteuid()
	mkdir("run", 0o755, us)
	mkdir("run/deep", 0o755, us)
	mkdir("var", 0o755, us)
	mkdir("sticky", 0o1777, us)
	mkdir("sticky/ours", 0o755, us)
	mkdir("open", 0o777, us)
	mkdir("open/ours", 0o755, us)
	link("../run", "var/run", us) // as Debian has it
	link(at("run"), "var/absolute", us)
	link("run/../run/deep/..", "var/winding", us)
	link("nowhere", "var/dangling", us)
	link("loop", "var/loop", us)
	link(at("open"), "var/open", us)
	link(at("run"), "sticky/run", us)
	mkdir("eves", 0o755, eve)
	mkdir("eves/ours", 0o755, us)
	mkdir("sticky/eves", 0o755, eve)
	link(at("eves"), "var/eves", us)
	link(at("run"), "sticky/eve-run", eve)
	link(at("run"), "var/eve-run", eve)
	return base
}

// Whoever can exchange a directory above the socket's own can exchange the socket.
func TestTheWholeWayIsLookedAt(t *testing.T) {
	needRoot(t)
	base := landscape(t)
	for dir, want := range map[string]string{
		"run/new":        "",
		"run/deep":       "",
		"var/run":        "",
		"var/run/new":    "",
		"var/absolute/x": "",
		"var/winding/x":  "",
		"sticky/ours/x":  "",

		"open/ours":          "open has mode 0777: others could replace the socket",
		"open/ours/new":      "open has mode 0777: others could replace the socket",
		"eves/ours":          "eves belongs to uid 1234, who could replace the socket",
		"eves/ours/new":      "eves belongs to uid 1234, who could replace the socket",
		"sticky/eves/new":    "eves belongs to uid 1234, who could replace the socket",
		"sticky/eve-run/new": "eve-run is a symbolic link of uid 1234, who could lead it elsewhere",
		"var/eve-run/new":    "eve-run is a symbolic link of uid 1234, who could lead it elsewhere",
		"var/eve-run":        "eve-run is a symbolic link of uid 1234, who could lead it elsewhere",
		"sticky/run/new":     "run is a symbolic link in a directory that others write to",
		"var/open/ours":      "open has mode 0777: others could replace the socket",
		"var/eves/ours":      "eves belongs to uid 1234, who could replace the socket",
		"var/dangling/new":   "there is no directory " + filepath.Join(base, "var/nowhere"),
		"var/loop/new":       "leads through more than 40 symbolic links",
	} {
		l, err := Listen(filepath.Join(base, dir, "s"), mine())
		if err == nil {
			l.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", dir, err, want)
		}
	}
	// Nothing was made where a stranger's link leads.
	for _, dir := range []string{"run", "open/ours", "eves", "eves/ours", "sticky/eves"} {
		if made := list(t, filepath.Join(base, dir)); strings.Contains(made, "new") {
			t.Errorf("%s has %s", dir, made)
		}
	}
}
