package daemon

import (
	"io"
	"runtime"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
)

// ofFile serves a file with nobody there.
func ofFile(file string, wake <-chan struct{}) Options {
	return Options{
		Report: func(Event) {}, Stderr: io.Discard, Alone: true, File: file, Wake: wake, Installed: func(string) bool { return false },
		Load: func() ([]links.Link, error) {
			c, err := links.Load(config.MachineFile(), file, runtime.GOOS)
			if err != nil {
				return nil, err
			}
			return c.Links, nil
		},
	}
}
