package endpoint

import (
	"fmt"
	"net"
)

// PrivateEndpoint is the place of a name that belongs to the user we run as: on Windows a pipe whose
// name has his SID in it, since pipes have one name space for all users; on Linux a socket in
// dir. The name has letters, digits and - only.
func PrivateEndpoint(dir, name string) (Endpoint, error) {
	e, err := privateEndpoint(dir, name)
	if err != nil {
		return Endpoint{}, fmt.Errorf("name private endpoint: %w", err)
	}
	return e, nil
}

// ListenPrivate listens at a place of Private that nobody but its user (and the system, and
// who has its rights) can reach. Close removes it.
//
// On Windows that is a pipe in byte mode of which this is the first instance: one
// that is there already is an error, which is fs.ErrPermission. Its owner is the user and not the
// administrators, whom an elevated program would leave it to, so that Dial
// takes it for his in both cases. On Linux it is a socket of mode 0600, in a directory that is
// made if it is missing and must be of mode 0700; one that somebody serves is an *InUseError.
func (e Endpoint) ListenPrivate() (net.Listener, error) {
	l, err := e.listenPrivate()
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", e, err)
	}
	return l, nil
}
