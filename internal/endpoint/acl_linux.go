package endpoint

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Of linux/posix_acl.h and posix_acl_xattr.h.
const (
	aclName    = "system.posix_acl_access"
	aclVersion = 2
	aclUserObj = 0x01
	aclUser    = 0x02
	aclGroup   = 0x04
	aclMask    = 0x10
	aclOther   = 0x20
	aclNobody  = 0xffffffff // of entries that have no number
	aclWrite   = 6          // reading and writing; to connect takes the latter
)

// errNoLists says what a file system lacks.
var errNoLists = errors.New("the file system there has no access control lists, which more than one user take; name one user alone")

// letUsersIn gives the users of a list what the owner of a file of mode 0600 has. Connecting is
// refused by the kernel then, as with a mode: nobody else comes as far as the queue.
func letUsersIn(path string, users []int) error {
	if len(users) == 0 {
		return nil
	}
	list := binary.LittleEndian.AppendUint32(nil, aclVersion)
	entry := func(tag, perm uint16, id uint32) {
		list = binary.LittleEndian.AppendUint16(list, tag)
		list = binary.LittleEndian.AppendUint16(list, perm)
		list = binary.LittleEndian.AppendUint32(list, id)
	}
	entry(aclUserObj, aclWrite, aclNobody)
	for _, uid := range users {
		entry(aclUser, aclWrite, uint32(uid))
	}
	entry(aclGroup, 0, aclNobody)
	entry(aclMask, aclWrite, aclNobody)
	entry(aclOther, 0, aclNobody)
	err := unix.Setxattr(path, aclName, list, 0)
	if errors.Is(err, unix.EOPNOTSUPP) {
		err = errNoLists
	}
	if err != nil {
		return fmt.Errorf("let users in: %w", err)
	}
	return nil
}
