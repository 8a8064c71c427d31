package house

import (
	"regexp"
	"strings"
	"testing"
)

// Files are written, moved and removed by internal/state, which no link leads elsewhere. A path that anybody else gives to the
// system again may lead elsewhere by then.
func TestOneRoomWritesFiles(t *testing.T) {
	allowed := map[string]string{
		"internal/state/own.go":                   "the directory above our own one",
		"internal/state/own_windows.go":           "Wine 8 removes nothing in a directory",
		"internal/dockercontext/files.go":         "docker's directories, as the docker command makes them",
		"internal/dockercontext/dockercontext.go": "docker's directories that are empty by now",
		"internal/endpoint/listen_linux.go":       "sockets, of the agent",
		"internal/endpoint/dir_linux.go":          "the agent's directory in /run, or one that all distros see",
		"internal/endpoint/private_linux.go":      "the directory of a control endpoint's socket, which is looked at then",
		"cmd/docker-wsl-agent/shared.go":          "an empty directory that all distros see",
	}
	changes := regexp.MustCompile(`\bos\.(Remove|RemoveAll|Rename|WriteFile|Create|CreateTemp|Mkdir|MkdirAll|MkdirTemp|Link|Symlink|Chmod|Chown|Lchown|Truncate)\(|\bos\.O_CREATE\b`)
	rooted := regexp.MustCompile(`root\.OpenFile\([^\n]*os\.O_CREATE`)
	for _, dir := range []string{"cmd", "internal"} {
		for file, text := range files(t, dir, ".go") {
			if allowed[file] != "" || strings.HasSuffix(file, "_test.go") {
				continue
			}
			if found := changes.FindString(rooted.ReplaceAllString(text, "")); found != "" {
				t.Errorf("%s changes files by a path: %s", file, found)
			}
		}
	}
}
