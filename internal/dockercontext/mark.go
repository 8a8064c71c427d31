package dockercontext

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// mark is the key of the metadata that makes a context ours. Its value is the context's name and the
// SHA-256 of the file as we wrote it, with noDigest in the digest's place. The docker command keeps
// keys that it does not know: it copies them to contexts that it makes of ours, and leaves them when it
// changes one. Neither of those has our name and our bytes.
const (
	mark     = "docker-wsl-bridge"
	digestOf = " sha256:"
)

var noDigest = strings.Repeat("0", 2*sha256.Size)

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

func (m meta) dockerHost() string { return m.Endpoints["docker"].Host }

// withMark is a context of ours but for the line's end.
func withMark(name, host, value string) ([]byte, error) {
	return json.Marshal(meta{
		Name:      name,
		Metadata:  map[string]any{"Description": description, mark: value},
		Endpoints: map[string]endpoint{"docker": {Host: host}},
	})
}

// renderContext is a context as we write it. It ends with an end of line, which the docker command does not
// write: a file of the same content that the command has written is its user's.
func renderContext(name, host string) ([]byte, error) {
	b, err := withMark(name, host, name+digestOf+noDigest)
	if err != nil {
		return nil, err
	}
	b = append(b, '\n')
	return withDigest(b, name, noDigest, contentDigest(b)), nil
}

// withDigest has another digest in the mark, which comes first of all that could look like it.
func withDigest(b []byte, name, from, to string) []byte {
	return bytes.Replace(b, []byte(name+digestOf+from), []byte(name+digestOf+to), 1)
}

func contentDigest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// stored is a context's file as it was found.
type stored struct {
	meta
	bytes []byte
	info  fs.FileInfo
	plain bool // a file, and no link to one, which its user has made
}

// isOurs tells whether we have written what was found. The version before has marked with the host
// alone, which a copy has, too: of its contexts those are ours that are recorded under their name.
func (s stored) isOurs(recorded []string) bool {
	value, _ := s.Metadata[mark].(string)
	sum, marked := strings.CutPrefix(value, s.Name+digestOf)
	switch {
	case !s.plain:
		return false
	case marked:
		return contentDigest(withDigest(s.bytes, s.Name, sum, noDigest)) == sum
	}
	for _, name := range recorded {
		if name == s.Name && value == s.dockerHost() {
			b, err := withMark(s.Name, value, value)
			return err == nil && bytes.Equal(b, s.bytes)
		}
	}
	return false
}

// readContext finds the context of a name. One that calls itself otherwise is no context of docker's.
func readContext(dir, name string) (stored, error) {
	s, err := readMeta(metaFile(dir, name))
	if err == nil && s.Name != name {
		err = errors.New("its file is of another context")
	}
	if _, has := tlsFiles(dir, name); has {
		s.plain = false
	}
	return s, err
}

func readMeta(file string) (s stored, err error) {
	if s.info, err = os.Lstat(file); err != nil {
		return s, err
	}
	s.plain = s.info.Mode().IsRegular()
	s.bytes, err = readBounded(file)
	switch {
	case err != nil && !s.plain: // a link that leads nowhere, a directory
		return s, errNoFile
	case err != nil:
		return s, err
	}
	return s, json.Unmarshal(s.bytes, &s.meta)
}

// tlsFiles is where a context's keys and certificates are, and whether there is something: we write none.
func tlsFiles(dir, name string) (path string, has bool) {
	path = filepath.Join(dir, "contexts", "tls", contextID(name))
	entries, err := os.ReadDir(path)
	return path, len(entries) > 0 || err != nil && !errors.Is(err, os.ErrNotExist)
}
