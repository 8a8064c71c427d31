package endpoint

import (
	"errors"
	"fmt"
	"net"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// The owners, besides ourselves, whom a pipe may belong to. A program can't give its pipe
// an owner that its own token may not be: nobody else gets a pipe under these.
const (
	sidSystem         = "S-1-5-18"
	sidAdministrators = "S-1-5-32-544" // what an elevated administrator and SYSTEM make is its by default
)

// ErrOwner says that a pipe belongs to somebody who is trusted with nothing: neither the
// system nor the administrators nor ourselves. The error is an *OwnerError.
var ErrOwner = errors.New("it belongs to somebody else")

// OwnerError names the owner of a pipe that was refused.
type OwnerError struct {
	SID string // S-1-..., empty if the pipe has none
}

func (e *OwnerError) Error() string {
	if e.SID == "" {
		return ErrOwner.Error() + ": it has no owner"
	}
	return ErrOwner.Error() + " (" + e.SID + ")"
}

func (e *OwnerError) Unwrap() error { return ErrOwner }

// AccountName is the owner's name as Windows shows it, MACHINE\user, or the SID if it has
// none that is known here. It may take seconds, when a domain is asked: it is for the eyes
// of a person, once, and not for each dial.
func (e *OwnerError) AccountName() string {
	name := printable.Line(lookupAccountName(e.SID))
	if name == "" {
		return e.SID
	}
	return name
}

// checkPipeOwner looks at who owns the pipe that conn is connected to. A pipe has one owner,
// that of its first instance, and to make more instances takes the right to
// write to it: whom the owner lets in is the owner's affair.
func checkPipeOwner(conn net.Conn) error {
	owner, self, err := pipeOwner(conn)
	if err != nil {
		return fmt.Errorf("look at its owner: %w", err)
	}
	return judgePipeOwner(owner, self)
}

func judgePipeOwner(owner, self string) error {
	switch owner {
	case "":
	case self, sidSystem, sidAdministrators:
		return nil
	}
	return &OwnerError{owner}
}
