package endpoint

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// dockerGroup is the group that Docker's packages make for users of its socket.
const dockerGroup = "docker"

// LookupAccess turns what a user asked for into an Access. mode is octal ("0660"), owner is
// "USER", "USER:GROUP" or ":GROUP", names or numbers; either may be empty. Names are looked
// up in the files passwd and group of etc: the agent is static and has no NSS.
//
// What is not asked for is 0660 and root:docker where there is a group docker, else
// 0600 and the distro's default user. That user is defaultUID if the caller
// knows it (Windows has it in the registry), and with -1 the one that wsl.conf names,
// else uid 1000 if it exists (the first user of most distros), else root.
func LookupAccess(etc fs.FS, mode, owner string, defaultUID int) (Access, error) {
	a, err := defaultAccess(etc, defaultUID)
	if err != nil {
		return Access{}, err
	}
	if owner != "" {
		if a, err = accessOwnedBy(etc, owner); err != nil {
			return Access{}, fmt.Errorf("look up owner %q: %w", owner, err)
		}
	}
	if mode != "" {
		bits, err := strconv.ParseUint(mode, 8, 32)
		if err != nil || bits > 0o777 {
			return Access{}, fmt.Errorf("parse mode %q: it is no octal number up to 0777, such as 0660", mode)
		}
		a.Mode = fs.FileMode(bits)
	}
	return a, nil
}

func defaultAccess(etc fs.FS, uid int) (Access, error) {
	gid, found, err := lookupID(etc, "group", dockerGroup)
	if err != nil {
		return Access{}, err
	}
	if found {
		return Access{Mode: 0o660, Uid: 0, Gid: gid.id}, nil
	}
	user, err := defaultUser(etc, uid)
	return Access{Mode: 0o600, Uid: user.id, Gid: user.gid}, err
}

func defaultUser(etc fs.FS, uid int) (account, error) {
	if uid >= 0 {
		user, _, err := lookupID(etc, "passwd", strconv.Itoa(uid))
		user.id = uid
		return user, err
	}
	user, err := configuredUser(etc)
	if user != (account{}) || err != nil {
		return user, err
	}
	user, _, err = lookupID(etc, "passwd", "1000")
	return user, err
}

// configuredUser is the user of wsl.conf, or none. It is a name there: WSL asks getpwnam(3) for it, and takes the user
// that the registry has when there is none of that name.
func configuredUser(etc fs.FS) (account, error) {
	name := wslConfValue(etc, "user", "default")
	user, found, err := lookupID(etc, "passwd", name)
	if !found || user.name != name {
		return account{}, err
	}
	return user, nil
}

// accessOwnedBy reads USER, USER:GROUP and :GROUP. A group that was named is let in.
func accessOwnedBy(etc fs.FS, owner string) (Access, error) {
	user, group, grouped := strings.Cut(owner, ":")
	a := Access{Mode: 0o600}
	if user != "" {
		who, err := mustLookup(etc, "passwd", "user", user)
		if err != nil {
			return Access{}, err
		}
		a.Uid, a.Gid = who.id, who.gid
	}
	if !grouped {
		return a, nil
	}
	who, err := mustLookup(etc, "group", "group", group)
	a.Gid, a.Mode = who.id, 0o660
	return a, err
}

// OwnerNames is who an access is for, as ls shows it: user:group, or the
// number where there is no name.
func OwnerNames(etc fs.FS, a Access) string {
	name := func(file string, id int) string {
		who, found, err := lookupID(etc, file, strconv.Itoa(id))
		if err != nil || !found {
			return strconv.Itoa(id)
		}
		return who.name
	}
	return name("passwd", a.Uid) + ":" + name("group", a.Gid)
}
