// Package plan describes a stand-in VM: which distros it has and where its files
// lie. The package that starts the VM writes it, the VM reads it.
//
// It knows no more than names and paths. Its law: a plan says everything, there
// are no other settings.
package plan

import "path/filepath"

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
}

// VM is the whole plan.
type VM struct {
	Dir     string
	DriveC  string
	Distros []Distro // the default one first
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
