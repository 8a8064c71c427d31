package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
)

// inspection is what the user who runs this sees. It is of a build with the
// program that reads it (internal/doctor).
type inspection struct {
	User   string `json:"user"`
	Kind   string `json:"kind"` // of what is at the path: socket, none, other
	Mode   string `json:"mode,omitempty"`
	Owner  string `json:"owner,omitempty"`
	MayUse bool   `json:"mayUse"`
	Served string `json:"served"` // yes, no, or empty: that can't be told

	Led   dockercontext.Override `json:"led"`
	Leads []string               `json:"leads,omitempty"` // the docker contexts that lead to the socket

	Now      time.Time         `json:"now"`
	Gateway  string            `json:"gateway,omitempty"` // of the default route
	Mirrored bool              `json:"mirrored"`          // localhost is Windows', too
	Drives   map[string]string `json:"drives,omitempty"`  // a directory of Windows, and where it is mounted
}

// inspectSocket tells how a socket is for the user who runs this. It connects to
// nothing.
func inspectSocket(socket string) int {
	socket, shared, err := socketPath(socket)
	if err != nil {
		return reportFailure(err)
	}
	dir := dockerDir()
	i := inspection{User: ownName(), Led: overrideIn(dir), Now: time.Now()}
	contexts, _ := dockercontext.ListContexts(dir, nil) // none that can be read is none
	for _, c := range contexts {
		if c.Host == "unix://"+socket {
			i.Leads = append(i.Leads, c.Name)
		}
	}
	info, err := os.Lstat(socket)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		i.Kind = "none"
	case err != nil:
		return reportFailure(err)
	default:
		i.lookAtSocket(socket, shared, info)
	}
	i.Gateway, i.Mirrored = defaultGateway(), isMirrored()
	if d, err := currentDrives(); err == nil {
		i.Drives = d.MountedRoots()
	}
	if err := json.NewEncoder(os.Stdout).Encode(i); err != nil {
		return reportFailure(err)
	}
	return exitOK
}

func (i *inspection) lookAtSocket(path string, shared bool, info fs.FileInfo) {
	i.Kind = "other"
	if info.Mode().Type() == fs.ModeSocket {
		i.Kind, i.Served = "socket", servedState(path)
	}
	if access, ok := accessOf(info); ok {
		i.Owner = ownerWords(os.DirFS("/etc"), access, shared)
	}
	i.Mode = fmt.Sprintf("%04o", info.Mode().Perm())
	i.MayUse = mayConnect(path)
}
