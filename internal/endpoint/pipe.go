package endpoint

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// maxAllowed bounds a list of accounts.
const maxAllowed = 32

// ParseAllowed reads a list of Windows' accounts and groups, by name or SID, with commas between. It does
// not know whether there are such accounts.
func ParseAllowed(list string) ([]string, error) {
	if err := checkEndpointText(list); err != nil {
		return nil, err
	}
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			return nil, errors.New("a name between the commas is empty")
		}
		names = append(names, name)
	}
	if len(names) > maxAllowed {
		return nil, fmt.Errorf("it has %d names, it may have %d", len(names), maxAllowed)
	}
	return names, nil
}

// ListenFor listens at a pipe for clients of the user we run as and of those that are allowed, which
// Allowed has read; if none are, of the system and the administrators. Windows only.
//
// The pipe is in message mode, as dockerd.exe's is, so that clients can end one direction, and takes
// none from other machines. This is its first instance: a pipe that somebody has is an
// *InUseError. Its owner is the user, as with ListenPrivate. Clients that ask for GENERIC_WRITE, as
// Docker's do, must be allowed to make instances of the pipe, too: who is allowed here could take
// other clients' connections, as dockerd.exe's group can.
func (e Endpoint) ListenFor(allowed []string) (net.Listener, error) {
	l, err := e.listenFor(allowed)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", e, err)
	}
	return l, nil
}

// pipeAccess is an access list, in SDDL, that is closed to inheritance and to all that it does not
// name. The names are SIDs.
func pipeAccess(user string, allowed []string) string {
	if len(allowed) == 0 {
		allowed = []string{sidSystem, sidAdministrators}
	}
	sddl := "O:" + user + "D:P(A;;GA;;;" + user + ")"
	for _, sid := range allowed {
		sddl += "(A;;GRGW;;;" + sid + ")"
	}
	return sddl
}
