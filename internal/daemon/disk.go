package daemon

import (
	"context"
	"io"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/logs"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

// disk has the log and the state directory of a bridge. Each call may stand still as long as the disk does, so that none
// is made under a lock.
type disk interface {
	// openLog begins a log or goes on with it.
	openLog(path string) (io.WriteCloser, error)
	// record notes what is made in a distro.
	record(m state.Made) error
	// open becomes the instance of a place, and leaves a file that says so.
	open(ctx context.Context, dir string, p control.Place, h control.Handler) (*control.Instance, error)
	// hide removes that file.
	hide(i *control.Instance) error
}

// userDisk is the user's own.
type userDisk struct{}

func (userDisk) openLog(path string) (io.WriteCloser, error) { return logs.Open(path) }
func (userDisk) record(m state.Made) error                   { return state.RecordMade(m) }
func (userDisk) hide(i *control.Instance) error              { return i.HideFile() }

func (userDisk) open(ctx context.Context, dir string, p control.Place, h control.Handler) (*control.Instance, error) {
	return control.OpenInstance(ctx, dir, p, h)
}
