// Package support makes the zip that a user gives to who helps: texts without names and secrets.
//
// It knows what names and secrets look like, and whose names are this machine's. It is given the texts, and sees all
// of them before the first one is redacted, so that a name that is plain in one of them is found in all. The same
// thing has the same stand-in everywhere.
//
// Law: what is not understood may be taken out, never the other way round; what stands in has no
// byte of what it stands for.
package support

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

// maxLogs bounds the logs in it, the newest first; that of one socket has 5 MiB at the most.
const maxLogs = 32 << 20

const readme = `A report of docker-wsl-bridge, made on its user's order and sent nowhere.

versions.txt   the program, the system and WSL
status.json    the bridges that run, as docker-wsl-bridge status --json
streams.json   what they carry, as docker-wsl-bridge top --once --json
doctor.txt     as docker-wsl-bridge doctor
config.txt     the configuration that counts, as docker-wsl-bridge config show
logs/          what they have logged

Taken out, in all of them: names of users and groups, home directories, names of
machines, hosts, domains, servers and shares, words of commands that links lead to, SIDs, and what looks like a
password or a token. The same thing has the same stand-in everywhere: USER1, HOST1,
WORD1; SECRET stands for each SID, password and token.

Left in: names of distros, links, pipes and sockets, uids and process numbers, times,
sizes, the names of programs that have connected, and which call of the Docker API
they were at. What was carried is in none of it: it is logged nowhere.

Programs make mistakes: look into it before you give it to somebody.
`

// Part is a file of a report.
type Part struct {
	Name, Text string
	When       time.Time
}

// LogParts gives the logs of a directory, the newest first. What can't be read of one is in its place.
func LogParts(dir string) (parts []Part, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for logs: %w", err)
	}
	var infos []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && strings.Contains(e.Name(), ".log") {
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	left := int64(maxLogs)
	for _, info := range infos {
		if left -= info.Size(); left < 0 {
			break
		}
		text, err := files.ReadFile(filepath.Join(dir, info.Name()), maxLogs)
		parts = append(parts, Part{"logs/" + info.Name(), OrError(string(text), err), info.ModTime()})
	}
	return parts, nil
}

// OrError is a text, with what kept it from being whole.
func OrError(text string, err error) string {
	if err != nil {
		return text + "error: " + err.Error() + "\n"
	}
	return text
}

// WriteZip writes a new zip with what is left of the parts without names, and a README.txt that says what was taken out.
// It gives the file's whole path.
func WriteZip(file string, parts []Part, private Private) (string, error) {
	path, err := filepath.Abs(file)
	if err == nil {
		var b []byte
		if b, err = zipParts(append([]Part{{"README.txt", readme, time.Now()}}, withoutNames(parts, private)...)); err == nil {
			err = writeNew(path, b)
		}
	}
	if err != nil {
		return "", fmt.Errorf("write report: %w", err)
	}
	return path, nil
}

func zipParts(parts []Part) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range parts {
		w, err := z.CreateHeader(&zip.FileHeader{Name: p.Name, Method: zip.Deflate, Modified: p.When})
		if err == nil {
			_, err = w.Write([]byte(p.Text))
		}
		if err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

// writeNew writes a file that was not there, whole or not at all.
func writeNew(path string, b []byte) error {
	return state.InDir(filepath.Dir(path), func(root *os.Root) error {
		out, err := root.OpenFile(filepath.Base(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = out.Write(b)
		if err = errors.Join(err, out.Close()); err != nil {
			return errors.Join(err, root.Remove(filepath.Base(path)))
		}
		return nil
	})
}
