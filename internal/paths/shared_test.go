package paths

import (
	"errors"
	"strings"
	"testing"
)

// The directory is found wherever a distro has it, and what is no file in one below it is none.
func TestShared(t *testing.T) {
	const (
		root  = "20 1 8:32 / / rw,relatime - ext4 /dev/sdc rw\n"
		usual = "21 20 0:30 / /mnt/wsl rw,relatime shared:1 - tmpfs none rw\n"
		other = "22 20 0:31 / /srv/wsl rw - tmpfs none rw\n" // somebody's own
		bind  = "23 20 0:30 /docker-desktop /opt/wsl rw - tmpfs none rw\n"
		disk  = "24 20 8:48 / /wsl rw - ext4 /dev/sdd rw\n"
	)
	for _, c := range []struct{ mounts, name, want string }{
		{root + usual, "shared:/dwb/a.sock", "/mnt/wsl/dwb/a.sock"},
		{root + other + usual + bind, "shared:/dwb/a.sock", "/mnt/wsl/dwb/a.sock"},
		{root + strings.Replace(usual, "/mnt/wsl", "/mnt/host/wsl", 1), "shared:/dwb/a.sock", "/mnt/host/wsl/dwb/a.sock"},
		{root + disk + strings.Replace(usual, "/mnt/wsl", `/my\040drives/wsl`, 1), "shared:/dwb/a.sock", "/my drives/wsl/dwb/a.sock"},
		{root + other + strings.Replace(usual, "/mnt/wsl", "/wsl", 1), "shared:/dwb/a.sock", "/wsl/dwb/a.sock"},
		{root + bind + disk, "shared:/dwb/a.sock", ""},
		{"", "shared:/dwb/a.sock", ""},
		{root + usual, "shared:/a.sock", ""},
		{root + usual, "shared:/a/b/a.sock", ""},
		{root + usual, "shared:dwb/x/a.sock", ""},
		{root + usual, "shared:/dwb/../../etc/a.sock", ""},
		{root + usual, "shared:", ""},
		{root, "/mnt/wsl/dwb/a.sock", "/mnt/wsl/dwb/a.sock"},
	} {
		got, shared, err := FromShared(c.name, c.mounts)
		if got != c.want || (err == nil) != (c.want != "") || shared != strings.HasPrefix(c.name, "shared:") {
			t.Errorf("%s in\n%s: %q, %v, %v; want %q", c.name, c.mounts, got, shared, err, c.want)
		}
	}
	if name := ToShared("/mnt/wsl/dwb/a.sock"); name != "shared:/dwb/a.sock" {
		t.Error(name)
	}
	if _, _, err := FromShared("shared:/dwb/a.sock", root); !errors.Is(err, ErrNoShared) {
		t.Error(err)
	}
}
