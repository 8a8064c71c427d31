package endpoint

import (
	"bufio"
	"errors"
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
		if a, err = ownedBy(etc, owner); err != nil {
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
	for _, name := range []string{configuredUser(etc), "1000"} {
		if user, found, err := lookupID(etc, "passwd", name); found || err != nil {
			return user, err
		}
	}
	return account{}, nil
}

// ownedBy reads USER, USER:GROUP and :GROUP. A group that was named is let in.
func ownedBy(etc fs.FS, owner string) (Access, error) {
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

func mustLookup(etc fs.FS, file, what, name string) (account, error) {
	who, found, err := lookupID(etc, file, name)
	if err != nil || found {
		return who, err
	}
	// As chown(1) does: a number need not have a name.
	if id, err := strconv.ParseUint(name, 10, 31); err == nil {
		return account{id: int(id)}, nil
	}
	return account{}, fmt.Errorf("there is no %s %q", what, name)
}

// account is a line of passwd or, without gid, of group.
type account struct {
	name    string
	id, gid int
}

// lookupID finds a name in passwd or group, or a number that no name is equal to. A
// missing file has no names.
func lookupID(etc fs.FS, file, name string) (account, bool, error) {
	if name == "" {
		return account{}, false, nil
	}
	f, err := etc.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return account{}, false, nil
	}
	if err != nil {
		return account{}, false, fmt.Errorf("look up %q: %w", name, err)
	}
	defer f.Close()
	var byNumber account
	var numbered bool
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		who, ok := parseAccount(lines.Text())
		if ok && who.name == name {
			return who, true, nil
		}
		if ok && !numbered && strconv.Itoa(who.id) == name {
			byNumber, numbered = who, true
		}
	}
	if err := lines.Err(); err != nil {
		return account{}, false, fmt.Errorf("read %s: %w", file, err)
	}
	return byNumber, numbered, nil
}

// parseAccount reads name:password:id[:gid...]. The + and - lines of NIS are no accounts.
func parseAccount(line string) (account, bool) {
	part := strings.SplitN(line, ":", 5)
	if len(part) < 4 || part[0] == "" || strings.ContainsAny(part[0][:1], "+-#") {
		return account{}, false
	}
	id, err := strconv.ParseUint(part[2], 10, 31)
	if err != nil {
		return account{}, false
	}
	gid, _ := strconv.ParseUint(part[3], 10, 31) // in group these are the members' names
	return account{name: part[0], id: int(id), gid: int(gid)}, true
}

// configuredUser is [user] default= of wsl.conf, or "". A file that can't be read says nothing:
// WSL goes on without it, too.
func configuredUser(etc fs.FS) string {
	text, err := fs.ReadFile(etc, "wsl.conf")
	if err != nil {
		return ""
	}
	inUser, user := false, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inUser = strings.EqualFold(line, "[user]")
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		if inUser && strings.EqualFold(strings.TrimSpace(key), "default") {
			user = strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return user
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
