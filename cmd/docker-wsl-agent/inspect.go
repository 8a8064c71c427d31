package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

// inspection is what the user who runs this sees. It is of a build with the
// program that reads it (internal/doctor).
type inspection struct {
	User   string `json:"user"`
	Kind   string `json:"kind"` // of what is at the path: socket, none, other
	Mode   string `json:"mode,omitempty"`
	Owner  string `json:"owner,omitempty"`
	MayUse bool   `json:"mayUse"`

	DockerHost    string `json:"dockerHost,omitempty"`    // of the environment
	DockerContext string `json:"dockerContext,omitempty"` // of the environment, else of docker's configuration
}

// inspect tells how a socket is for the user who runs this. It connects to
// nothing.
func inspect(socket string) int {
	etc := os.DirFS("/etc")
	own := endpoint.Access{Uid: os.Getuid(), Gid: os.Getgid()}
	user, _, _ := strings.Cut(endpoint.OwnerNames(etc, own), ":")
	i := inspection{User: user, DockerHost: os.Getenv("DOCKER_HOST"), DockerContext: dockerContext(os.Getenv)}
	info, err := os.Lstat(socket)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		i.Kind = "none"
	case err != nil:
		return failed(err)
	default:
		i.look(etc, socket, info)
	}
	if err := json.NewEncoder(os.Stdout).Encode(i); err != nil {
		return failed(err)
	}
	return exitOK
}

func (i *inspection) look(etc fs.FS, path string, info fs.FileInfo) {
	i.Kind = "other"
	if info.Mode().Type() == fs.ModeSocket {
		i.Kind = "socket"
	}
	if access, ok := accessOf(info); ok {
		i.Owner = endpoint.OwnerNames(etc, access)
	}
	i.Mode = fmt.Sprintf("%04o", info.Mode().Perm())
	i.MayUse = mayConnect(path)
}

// maxConfig bounds docker's configuration.
const maxConfig = 1 << 20

// dockerContext is the context that the docker command would take; "" is none.
func dockerContext(getenv func(string) string) string {
	if name := getenv("DOCKER_CONTEXT"); name != "" {
		return name
	}
	dir := getenv("DOCKER_CONFIG")
	if dir == "" {
		dir = filepath.Join(getenv("HOME"), ".docker")
	}
	f, err := os.Open(filepath.Join(dir, "config.json"))
	if err != nil {
		return ""
	}
	defer f.Close()
	var config struct{ CurrentContext string }
	if json.NewDecoder(io.LimitReader(f, maxConfig)).Decode(&config) != nil {
		return ""
	}
	return config.CurrentContext
}
