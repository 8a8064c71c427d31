// Package plan describes a stand-in VM: which distros it has and where its files
// lie. The package that starts the VM writes it, the VM reads it.
//
// It knows no more than names and paths. Its law: a plan says everything that
// stays while the VM runs; what changes are the faults, in package wire.
package plan

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"time"
)

// Kind is what a distro's root file system holds.
type Kind string

const (
	// Busybox is one static busybox with its links, and root: like docker-desktop.
	Busybox Kind = "busybox"
	// Debian is the machine's own /usr, read-only, under an /etc of its own.
	Debian Kind = "debian"
)

// Distro is one distro, complete.
type Distro struct {
	Name          string
	Kind          Kind
	AutomountRoot string
	DockerGroup   bool
	User          string // default user, uid 1000; empty: root
	Version       int    // of WSL: 2, or 1, which is listed and can't be started
	Stopped       bool   // it does not start with the VM
	Conf          string // what /etc/wsl.conf has behind its section automount
}

// UserID is the uid of a distro's User.
const UserID = 1000

// VM is the whole plan.
type VM struct {
	Dir     string
	DriveC  string
	Local   string        // what a Debian has as /usr/local/sbin; "": the machine's
	Distros []Distro      // the default one first
	Idle    time.Duration // how long a distro runs without a client; 0: for ever
}

// ID is what the registry and --distribution-id call the distro. It follows from
// the name, so that a test can tell it.
func (d Distro) ID() string {
	h := sha256.Sum256([]byte(d.Name))
	return fmt.Sprintf("{%x-%x-%x-%x-%x}", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// Dir is where all files of a distro lie.
func (d Distro) Dir(vm string) string { return filepath.Join(vm, "distros", d.Name) }

// Root is the distro's root directory as seen from outside, without its mounts.
func (d Distro) Root(vm string) string { return filepath.Join(d.Dir(vm), "rootfs") }

// PidFile names the file that holds the process id of the distro's init while it
// runs.
func (d Distro) PidFile(vm string) string { return filepath.Join(d.Dir(vm), "init.pid") }

// Shared is where the tmpfs that all distros share is mounted for the VM.
func (v VM) Shared() string { return filepath.Join(v.Dir, "shared") }
