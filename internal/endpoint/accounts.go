package endpoint

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strconv"
	"strings"
)

// account is a line of passwd(5) or, without gid, of group(5).
type account struct {
	name    string
	id, gid int
}

// maxAccount bounds what of a line is looked at. The members of a group, who may be thousands, stand behind
// everything that counts here.
const maxAccount = 4096

func mustLookup(etc fs.FS, file, what, name string) (account, error) {
	who, found, err := lookupID(etc, file, name)
	if err != nil || found {
		return who, err
	}
	// As chown(1) does: a number need not have a name.
	if id, ok := accountID(name); ok {
		return account{id: id}, nil
	}
	return account{}, fmt.Errorf("there is no %s %q", what, name)
}

// lookupID finds a name in passwd or group, or a number that no name is equal to. Of several lines the first
// counts. A missing file has no names.
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
	for lines := bufio.NewReaderSize(f, maxAccount); ; {
		line, err := readLineStart(lines)
		if who, ok := parseAccount(line, file); ok && who.name == name {
			return who, true, nil
		} else if ok && !numbered && strconv.Itoa(who.id) == name {
			byNumber, numbered = who, true
		}
		if err == io.EOF {
			return byNumber, numbered, nil
		}
		if err != nil {
			return account{}, false, fmt.Errorf("read %s: %w", file, err)
		}
	}
}

// readLineStart reads a line and gives as much of it as the reader's buffer takes.
func readLineStart(r *bufio.Reader) (string, error) {
	b, long, err := r.ReadLine()
	start := string(b)
	for long && err == nil {
		_, long, err = r.ReadLine()
	}
	return start, err
}

// parseAccount reads name:password:uid:gid:… of passwd, name:password:gid:… of group. The + and - lines of NIS are
// no accounts, and neither is a line with a # at its start.
func parseAccount(line, file string) (account, bool) {
	part := strings.SplitN(strings.TrimLeft(line, " \t"), ":", 5) // glibc skips blanks
	if len(part) < 4 || part[0] == "" || strings.ContainsAny(part[0][:1], "+-#") {
		return account{}, false
	}
	who := account{name: part[0]}
	var ok bool
	if who.id, ok = accountID(part[2]); !ok || file != "passwd" {
		return who, ok
	}
	who.gid, ok = accountID(part[3])
	return who, ok
}

// accountID reads a uid or gid. The highest number is none: chown(2) takes it for "as it is".
func accountID(text string) (int, bool) {
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil || id == math.MaxUint32 {
		return 0, false
	}
	return int(id), true
}
