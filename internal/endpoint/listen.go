package endpoint

import (
	"fmt"
	"io/fs"
	"net"
	"slices"
)

// Access says who may connect to a socket: its permission bits and its owner, and who else.
type Access struct {
	Mode     fs.FileMode // with Users 0600
	Uid, Gid int
	Users    []int // uids, by an access control list (acl(5))
}

// String is the access as ls and chown write it: 0660 0:998.
func (a Access) String() string { return fmt.Sprintf("%04o %d:%d", a.ShownMode().Perm(), a.Uid, a.Gid) }

// ShownMode is the mode that ls shows: with a list the bits of the group are what the list gives at
// the most.
func (a Access) ShownMode() fs.FileMode {
	if len(a.Users) > 0 {
		return a.Mode | 0o060
	}
	return a.Mode
}

// ForUsers lets in these users, and root, and no group: its number may be another group's elsewhere. One
// alone owns the socket, so that this takes nothing of the file system but a mode.
func ForUsers(uids []int) Access {
	uids = slices.DeleteFunc(slices.Clone(uids), func(uid int) bool { return uid == 0 })
	switch len(uids) {
	case 0:
		return Access{Mode: 0o600}
	case 1:
		return Access{Mode: 0o600, Uid: uids[0]}
	}
	return Access{Mode: 0o600, Users: uids}
}

// InUseError says that another program accepts connections at a path.
type InUseError struct {
	Path    string
	Program string // empty when it can't be told
	PID     int    // 0 when it can't be told: the program may be in another pid namespace
}

func (e *InUseError) Error() string {
	who := "another program"
	if e.Program != "" {
		who = e.Program
	}
	if e.PID != 0 {
		who += fmt.Sprintf(" (pid %d)", e.PID)
	}
	return who + " listens there"
}

// Listen makes a unix socket at path that only those named by access can reach, from its
// first moment on, and removes it on Close if it is still the same one. Linux only.
//
// When somebody else removes it meanwhile it is made anew, at once; if that can't be, Accept
// says why, and a later Accept tries again.
//
// The last directory is made if it is missing (0755), and removed on Close if it was
// made here and is empty. It and all above it must belong to root or to us, and be closed
// to other writers or sticky: whoever can rename in one of them could put his own socket in
// the place of ours. A symbolic link among them must be root's or ours, too, and
// lie where nobody else can write.
//
// What is at path already is replaced only if it is a socket that nobody accepts on. A
// live one is an *InUseError; that and anything else is left alone. While this is looked
// at, a lock file beside the socket keeps a second starter of ours away: two who find the
// same stale socket would otherwise remove each other's new one.
func Listen(path string, access Access) (net.Listener, error) {
	l, err := listenUnix(path, access)
	if err != nil {
		return nil, fmt.Errorf("listen at unix:%s: %w", path, err)
	}
	return l, nil
}

// RemoveStale removes a socket that nobody accepts on, which its killed owner could not.
// A live one is an *InUseError; that and anything else is left alone. One that is not there
// is no error. Linux only.
func RemoveStale(path string) error {
	if err := removeStale(path); err != nil {
		return fmt.Errorf("remove socket unix:%s: %w", path, err)
	}
	return nil
}

// RestoreAccess gives the socket at path, which somebody listens at, its owner and mode again. What is no socket
// is left alone, and so is one that lies where others can exchange it, as for Listen. Linux only.
func RestoreAccess(path string, access Access) error {
	if err := restoreAccess(path, access); err != nil {
		return fmt.Errorf("set access of unix:%s: %w", path, err)
	}
	return nil
}
