package endpoint

import (
	"path"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	longPath, longName := "/"+strings.Repeat("a", 106), strings.Repeat("a", 247)
	for _, tc := range []struct{ goos, in, want, path string }{
		{"linux", "unix:/run/x.sock", "unix:/run/x.sock", "/run/x.sock"},
		{"linux", "unix:///run/x.sock", "unix:/run/x.sock", "/run/x.sock"},
		{"linux", "unix:/run//./x.sock", "unix:/run/x.sock", "/run/x.sock"},
		{"linux", "unix:/a b/é", "unix:/a b/é", "/a b/é"},
		{"linux", "unix:/run/...", "unix:/run/...", "/run/..."},
		{"linux", "unix:/run/x.", "unix:/run/x.", "/run/x."},
		{"linux", "unix:/.x", "unix:/.x", "/.x"},
		{"linux", "unix:////run/x", "unix:/run/x", "/run/x"},
		{"linux", "unix:" + longPath, "unix:" + longPath, longPath},
		{"windows", "npipe:////./pipe/docker_engine", "npipe:////./pipe/docker_engine", `\\.\pipe\docker_engine`},
		{"windows", `\\.\pipe\docker_engine`, "npipe:////./pipe/docker_engine", `\\.\pipe\docker_engine`},
		{"windows", `npipe:\\.\PIPE\docker_engine`, "npipe:////./pipe/docker_engine", `\\.\pipe\docker_engine`},
		{"windows", "npipe://./pipe/x", "npipe:////./pipe/x", `\\.\pipe\x`},
		{"windows", "//./pipe/x", "npipe:////./pipe/x", `\\.\pipe\x`},
		{"windows", "docker_engine_windows", "npipe:////./pipe/docker_engine_windows", `\\.\pipe\docker_engine_windows`},
		{"windows", "a.b-c:1", "npipe:////./pipe/a.b-c:1", `\\.\pipe\a.b-c:1`},
		{"windows", `\\.\pipe\a\b c`, "npipe:////./pipe/a/b c", `\\.\pipe\a\b c`},
		{"windows", longName, "npipe:////./pipe/" + longName, `\\.\pipe\` + longName},
	} {
		e, err := Parse(tc.in, tc.goos)
		if err != nil || e.String() != tc.want || e.Path() != tc.path {
			t.Errorf("%s on %s: %q at %q, %v", tc.in, tc.goos, e, e.Path(), err)
		}
		if again, err := Parse(e.String(), tc.goos); again != e {
			t.Errorf("%s is not read back: %v, %v", e, again, err)
		}
	}
}

func TestParseErrorsSayWhatIsRight(t *testing.T) {
	for _, tc := range []struct{ goos, in, want string }{
		{"linux", "", "it is empty"},
		{"linux", "unix:", "not absolute; write unix:/run/NAME.sock"},
		{"linux", "unix:x.sock", "not absolute; write unix:/run/NAME.sock"},
		{"linux", "unix://run/x.sock", "not absolute; write unix:/run/NAME.sock"},
		{"linux", "unix:/", "ends in a slash"},
		{"linux", "unix:/run/", "ends in a slash"},
		{"linux", "unix:/run/../x", "a .. in it"},
		{"linux", "unix:/..", "a .. in it"},
		{"linux", "unix:/.", "ends in a dot that stands for a directory"},
		{"linux", "unix:/run/x/.", "ends in a dot that stands for a directory"},
		{"linux", "unix:///run/./.", "ends in a dot that stands for a directory"},
		{"linux", "unix:////", "ends in a slash"},
		{"linux", "unix:/./", "ends in a slash"},
		{"linux", "unix:/" + strings.Repeat("a", 107), "has 108 bytes, a socket's may have 107"},
		{"linux", "unix:/a\x00b", "can't be printed"},
		{"linux", "unix:/a\x1b[2J", "can't be printed"},
		{"linux", "unix:/a\u202eb", "can't be printed"},
		{"linux", "unix:/a\xff", "not UTF-8"},
		{"linux", "docker_engine", "here; write unix:/run/NAME.sock"},
		{"linux", "npipe:////./pipe/x", "here; write unix:/run/NAME.sock"},
		{"linux", "/run/x.sock", "write unix:/run/NAME.sock"},
		{"windows", "tcp://127.0.0.1:2375", "it is no endpoint"},
		{"windows", "unix:/run/x.sock", "here it is npipe:////./pipe/NAME"},
		{"windows", "npipe:x", "no pipe of this machine"},
		{"windows", `\\server\pipe\x`, "no pipe of this machine"},
		{"windows", `\\.\pipe\`, "does not name a pipe"},
		{"windows", `\\.\pipe\..\PhysicalDrive0`, "does not name a pipe"},
		{"windows", `\\.\pipe\a/../../b`, "does not name a pipe"},
		{"windows", `\\.\pipe\x.`, "does not name a pipe"},
		{"windows", `\\.\pipe\x.\y`, "does not name a pipe"},
		{"windows", `\\.\pipe\.\y`, "does not name a pipe"},
		{"windows", `\\.\pipe\x\\y`, "does not name a pipe"},
		{"windows", `\\.\pipe\x\`, "does not name a pipe"},
		{"windows", "npipe:////./pipe//x", "does not name a pipe"},
		{"windows", "x ", "it is no endpoint"},
		{"windows", "..", "does not name a pipe"},
		{"windows", strings.Repeat("a", 248), "has 257 characters, it may have 256"},
	} {
		e, err := Parse(tc.in, tc.goos)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q on %s: %v, %v; want an error with %q", tc.in, tc.goos, e, err, tc.want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x00\x1b\u202e") {
			t.Errorf("the error passes on what a terminal obeys: %q", err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"unix:/.", "unix:/run/x/.", "unix:/run/x.sock", "npipe:////./pipe/x", `\\.\pipe\x`, "name", "unix:///a/../b", `\\.\pipe\..\x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, goos := range []string{"linux", "windows"} {
			e, err := Parse(s, goos)
			if err != nil {
				continue
			}
			if again, err := Parse(e.String(), goos); err != nil || again != e {
				t.Errorf("%q on %s reads as %q, which reads as %q, %v", s, goos, e, again, err)
			}
			end := func(s string) string { return s[strings.LastIndexAny(s, `/\`)+1:] }
			if goos == "linux" && end(e.Path()) != end(s) || goos == "windows" && !strings.HasSuffix(s, end(e.Path())) {
				t.Errorf("%q on %s names %q", s, goos, e.Path())
			}
			if goos == "linux" && (path.Clean(e.Path()) != e.Path() || e.Path() == "/") {
				t.Errorf("%q is %q, where no socket can be", s, e.Path())
			}
			if strings.Contains(e.Path(), `\..`+`\`) || strings.Contains(e.Path(), "/../") {
				t.Errorf("%q leads out by %q", s, e.Path())
			}
		}
	})
}
